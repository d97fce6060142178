import type { ControlWord } from '../src/runs/door.ts';
import { findRun, isRefusal, takeNames } from './ask.ts';
import { type Command, everyone, operators } from './command.ts';

const summaries: Readonly<Record<ControlWord, string>> = {
  pause: 'Lets a run stand still after its current batch; the environment stays held',
  resume: 'Takes a paused run up again from where it stands',
  stop: 'Ends a run at its next batch; then it is retried, undone or kept as it is',
  cancel: 'Withdraws a run that has not started yet',
  slower: 'Halves the pace of a run: smaller batches, with pauses between them',
  faster: 'Doubles the pace of a run',
  dispute: 'Says that the vote in your name was not yours: the run is brought to a stand, and people are called',
};

/** The door judges who: whoever asked, or whoever a vote stands for. */
const forEveryone: readonly ControlWord[] = ['cancel', 'dispute'];

/** What may be asked of a run while it goes on. Whoever asked for a run may withdraw it, too. */
export const controls: readonly Command[] = (Object.keys(summaries) as ControlWord[]).map(control);

function control(word: ControlWord): Command {
  const command: Command = {
    word,
    usage: `${word} <run> [env:<environment>]`,
    summary: summaries[word],
    examples: [`${word} run-01jd0a4ycz`],
    roles: forEveryone.includes(word) ? everyone : operators,
    async run(words, context) {
      const [id = ''] = takeNames(command, words, 1, 1);
      const run = await findRun(id, words, context);
      const { door, person } = context;
      const answer = await door.control({ runId: run.id, what: word, person, seen: null });
      return isRefusal(answer) ? answer : { kind: 'controlled', what: word, run: answer };
    },
  };
  return command;
}
