# CPython's own test_threading. Times and the order of the report's details may differ.
# normalize: s/[0-9.]+ ?(ms|sec|seconds|s)\b/T/g; s/^0:.*(test_)/\1/; /^(==|Using random seed|Raised RLIMIT|Total duration|0:00)/d
python3 -m test test_threading 2>&1
