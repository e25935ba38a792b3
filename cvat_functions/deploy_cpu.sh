#!/usr/bin/env bash
# Deploy the functions for machines without a GPU; takes what deploy.sh takes.
exec "$(dirname "${BASH_SOURCE[0]}")/deploy.sh" cpu "$@"
