import { Argument, Command } from 'commander';

import { print } from '../output.js';

/** The shell passes the words before the cursor, and that at the cursor as the last one. */
const SCRIPTS = {
  bash: `_voidrunner() {
  local IFS=$'\\n'
  COMPREPLY=($(voidrunner __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _voidrunner voidrunner`,
  zsh: `#compdef voidrunner
_voidrunner() {
  local -a candidates
  candidates=("\${(@f)$(voidrunner __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[*]}" ]]; then compadd -- "\${candidates[@]}"; else _files; fi
}
if [[ "\${funcstack[1]}" = _voidrunner ]]; then _voidrunner "$@"; else compdef _voidrunner voidrunner; fi`,
  fish: `function __voidrunner_complete
  set -l words (commandline -opc)
  voidrunner __complete -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c voidrunner -a '(__voidrunner_complete)'`,
} as const;

type Shell = keyof typeof SCRIPTS;

const EXAMPLES = `
Examples:
  source <(voidrunner completion bash)
  voidrunner completion zsh > ~/.zfunc/_voidrunner
  voidrunner completion fish > ~/.config/fish/completions/voidrunner.fish`;

export const completionCommand = (): Command =>
  new Command('completion')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => print(SCRIPTS[shell]));
