/**
 * Completion for three shells. What is generated starts no process: the commands are written into it, and sites are
 * found by the names of their files, so that a tab costs nothing. Pure.
 */

import { quoteShell } from '../config/toml-file.js';
import { type Choice, type Place, siteOption } from './completion-tree.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** @param sites the directory of sites */
export function completionScript(shell: Shell, places: readonly Place[], sites: string): string {
  return { bash, zsh, fish }[shell](places, sites);
}

const words = (choices: readonly Choice[]): string => choices.map(({ word }) => word).join(' ');

function inner(places: readonly Place[]): string {
  return places
    .slice(1)
    .map(({ path }) => `"${path}"`)
    .join('|');
}

function bash(places: readonly Place[], sites: string): string {
  const cases = places.map(
    ({ path, commands, options, takesSite }) =>
      `    "${path}") commands="${words(commands)}" options="${words(options)}" sites=${takesSite ? 1 : ''} ;;`,
  );
  return `# bash completion for guise
_guise_sites() {
  local file
  for file in ${quoteShell(sites)}/*.toml; do
    [ -e "$file" ] || continue
    file=\${file##*/}
    printf '%s\\n' "\${file%.toml}"
  done
}
_guise() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  local place=guise commands= options= sites= word choices
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$place $word" in ${inner(places)}) place="$place $word" ;; esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  case "$before:$current" in
    ${siteOption}:*) choices=$(_guise_sites) ;;
    *:-*) choices=$options ;;
    *) choices="$commands \${sites:+$(_guise_sites)}" ;;
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
}
# Where guise has nothing to offer, files are completed.
complete -o default -F _guise guise
`;
}

function zsh(places: readonly Place[], sites: string): string {
  const list = (choices: readonly Choice[]): string =>
    choices.map(({ word, about }) => quoteSingle(`${word.replaceAll(':', '\\:')}:${about}`)).join(' ');
  const cases = places.map(
    ({ path, commands, options, takesSite }) =>
      `    "${path}")\n      commands=(${list(commands)})\n      options=(${list(options)})\n      takes=${takesSite ? 1 : "''"} ;;`,
  );
  return `#compdef guise
_guise_sites() {
  local -a files
  files=(${quoteShell(sites)}/*.toml(N:t:r))
  compadd -- $files
}
_guise() {
  local place=guise word takes
  local -a commands options
  for word in $words[2,CURRENT-1]; do
    case "$place $word" in ${inner(places)}) place="$place $word" ;; esac
  done
  case "$place" in
${cases.join('\n')}
  esac
  if [[ $words[CURRENT-1] == ${siteOption} ]]; then
    _guise_sites
  elif [[ $words[CURRENT] == -* ]]; then
    _describe option options
  else
    (( $#commands )) && _describe command commands
    if [[ -n $takes ]]; then
      _guise_sites
    elif (( ! $#commands )); then
      _files
    fi
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _guise "$@"; else compdef _guise guise; fi
`;
}

function fish(places: readonly Place[], sites: string): string {
  const lines = places.flatMap(({ path, commands, options, takesSite }) => {
    const here = `complete -c guise -n '__guise_at "${path}"'`;
    return [
      ...commands.map(({ word, about }) => `${here} -f -a ${word} -d ${quoteFish(about)}`),
      ...options.map(({ word, about }) => {
        const form = word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`;
        const value = word === siteOption ? " -x -a '(__guise_sites)'" : '';
        return `${here} ${form} -d ${quoteFish(about)}${value}`;
      }),
      ...(takesSite ? [`${here} -f -a '(__guise_sites)' -d site`] : []),
    ];
  });
  return `# fish completion for guise
function __guise_sites
  for file in ${quoteFish(sites)}/*.toml
    basename $file .toml
  end
end
function __guise_at
  set -l place guise
  for word in (commandline -opc)[2..-1]
    switch "$place $word"
      case ${places
        .slice(1)
        .map(({ path }) => `'${path}'`)
        .join(' ')}
        set place "$place $word"
    end
  end
  test "$place" = "$argv[1]"
end
${lines.join('\n')}
`;
}

function quoteSingle(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** fish knows a backslash within single quotes. */
function quoteFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
