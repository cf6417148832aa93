/**
 * Completion for Bash, whose readline splits words at ":", "@" and "=".
 *
 * The script joins the parts before it asks for suggestions. Then it removes
 * from each suggestion the part that is on the line already. It does not change
 * `COMP_WORDBREAKS`, which all commands of the shell share.
 *
 * @module
 */
import { bash } from "@optique/core/completion";

/** Makes the script for a program. */
export function bashScript(name: string, args?: readonly string[]): string {
  const suggest = bash.generateScript(name, args)
    .replace(`function _${name} ()`, `function _${name}_suggest ()`);
  return `${suggest}
# Calls _${name}_suggest with the words that were typed: what is adjacent on the
# line is one word.
function _${name} () {
  local __rest="\${COMP_LINE:0:COMP_POINT}" __last=none __word __at
  local -a __typed=()
  for ((__at = 0; __at <= COMP_CWORD; __at++)); do
    __word="\${COMP_WORDS[__at]}"
    if [[ $__rest == [[:space:]]* ]]; then
      __last=none
      __rest="\${__rest#"\${__rest%%[![:space:]]*}"}"
    fi
    # The cursor may be inside the last word.
    (( __at == COMP_CWORD )) && __word="\${__word:0:\${#__rest}}"
    if [[ "\${__rest:0:\${#__word}}" != "$__word" ]]; then
      # It is not understood: the words stay as they are.
      __typed=("\${COMP_WORDS[@]:0:COMP_CWORD+1}")
      break
    fi
    __rest="\${__rest:\${#__word}}"
    case $__word in
      *[\\<\\>\\|\\&\\;\\(\\)]*)
        __last=none
        __typed+=("$__word")
        ;;
      *)
        if [[ $__last == none ]]; then
          __typed+=("$__word")
        else
          __typed[\${#__typed[@]}-1]+="$__word"
        fi
        __last=word
        ;;
    esac
  done
  local __current="\${__typed[\${#__typed[@]}-1]}" __taken=""
  # Readline replaces the end of the word, and keeps what is before.
  if [[ \${2+x} && $__current == *"$2" ]]; then
    __taken="\${__current:0:\${#__current}-\${#2}}"
    __taken="\${__taken//[\\"\\'\\\\]/}"
  fi
  _${name}_words "\${__typed[@]}"
  local -a __replies=()
  for __word in "\${COMPREPLY[@]}"; do
    [[ "\${__word:0:\${#__taken}}" == "$__taken" ]] &&
      __replies+=("\${__word:\${#__taken}}")
  done
  COMPREPLY=("\${__replies[@]}")
}

# Without COMP_LINE, the words are taken as they are.
function _${name}_words () {
  local -a COMP_WORDS=("$@")
  local COMP_CWORD=$(($# - 1)) COMP_LINE COMP_POINT
  unset COMP_LINE COMP_POINT
  _${name}_suggest
}
`;
}
