# Completion of the viaduct command for bash. Installed as
# share/bash-completion/completions/viaduct; or: source viaduct.bash

_viaduct_apps() {
  # Names of workers in the answer have a slash, those of apps have none.
  "$1" "${@:2}" --json --timeout 2s status 2>/dev/null |
    grep -o '"name":"[^"/]*"' | cut -d '"' -f 4
}

_viaduct() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local commands="status requests reload restart scale drain stop reopen upgrade"
  local options="--control --json --timeout --help --version"
  local command= app= i
  local -a control=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --control) control=(--control "${COMP_WORDS[++i]}") ;;
      --timeout) ((i++)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else app=${COMP_WORDS[i]}; fi ;;
    esac
  done
  case $previous in
    --control) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --timeout) COMPREPLY=($(compgen -W "1s 10s 30s 1m 5m" -- "$word")); return ;;
  esac
  [[ $command == requests ]] && options+=" --stacks"
  [[ $command == reload && -z $app ]] && options+=" --keep-going"
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$word"))
  elif [[ -z $app && $command =~ ^(requests|reload|restart|scale)$ ]]; then
    COMPREPLY=($(compgen -W "$(_viaduct_apps "${COMP_WORDS[0]}" "${control[@]}")" -- "$word"))
  fi
}

complete -F _viaduct viaduct
