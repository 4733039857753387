# Sourced: which container engine there is.

# Sets $engine, to DOCKER if that is set; false if none answers.
find_engine() {
    for engine in ${DOCKER-docker podman}; do
        command -v "$engine" > /dev/null && "$engine" version > /dev/null 2>&1 && return 0
    done
    engine=
    return 1
}
