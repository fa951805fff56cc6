#!/bin/bash
# Completion of the viaduct command, without a daemon: the command it asks for apps is a function.
#
#   completion_test.sh COMPLETION
set -eu

source "$1"

viaduct() {
  if [[ $* == *"--control unix:/other"* ]]; then
    echo '{"apps":[{"name":"wiki","workers":[]}]}'
  else
    echo '{"apps":[{"name":"shop","workers":[{"name":"shop/1"}]},{"name":"shelf","workers":[]}]}'
  fi
}

failed=0
# expect "words typed so far, the last one being completed" "what is offered"
expect() {
  IFS=' ' read -r -a COMP_WORDS <<<"$1"
  [[ $1 == *' ' ]] && COMP_WORDS+=("")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _viaduct || true # compgen fails when it has nothing to offer
  if [[ "${COMPREPLY[*]}" != "$2" ]]; then
    echo "'$1': expected '$2', got '${COMPREPLY[*]}'"
    failed=1
  fi
}

expect "viaduct re" "requests reload restart reopen"
expect "viaduct --js" "--json"
expect "viaduct --json sta" "status"
expect "viaduct --sta" ""
expect "viaduct restart shop --sta" ""
expect "viaduct requests shop --sta" "--stacks"
expect "viaduct restart " "shop shelf"
expect "viaduct requests sho" "shop"
expect "viaduct scale shop " ""
expect "viaduct reload " "shop shelf"
expect "viaduct reload --ke" "--keep-going"
expect "viaduct reload shop --ke" ""
expect "viaduct restart --ke" ""
expect "viaduct --control unix:/other restart " "wiki"
expect "viaduct --timeout 1" "1s 10s 1m"
expect "viaduct --timeout 10s scale she" "shelf"
exit $failed
