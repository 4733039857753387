#!/bin/sh
exec tests/runtime/runtime-test interp
