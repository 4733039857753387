# Java: threads, monitors, garbage collection, null pointers, stack overflow, compiled loops.
# needs: Threads.class
java -Xmx256m -cp . Threads
