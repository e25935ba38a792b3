#!/usr/bin/env bash
# Deploy the functions for machines with a GPU; takes what deploy.sh takes.
exec "$(dirname "${BASH_SOURCE[0]}")/deploy.sh" gpu "$@"
