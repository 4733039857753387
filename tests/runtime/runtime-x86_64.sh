#!/bin/sh
exec tests/runtime/runtime-test x86_64
