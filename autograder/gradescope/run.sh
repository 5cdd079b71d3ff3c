#!/usr/bin/env bash
# Gradescope runs this as root for each submission. It leaves results/results.json, or fails.
set -eu
exec 2>&1

# A student's code runs as another user, and is to read nothing of what lies here.
chmod 700 /autograder/source /autograder/submission /autograder/results
chmod 600 /autograder/submission_metadata.json

cd /autograder/source
exec env -i @ENVIRONMENT@ \
    /opt/hw5/bin/python -B -m autograder.gradescope.run @PARTS@
