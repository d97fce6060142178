import type { Door, Role } from '../src/runs/door.ts';
import type { Run } from '../src/runs/run.ts';
import { isOver, type RunStatus } from '../src/runs/run-status.ts';
import { Failure } from '../src/shared/failure.ts';
import type { Command, CommandContext, HelpHere } from './command.ts';
import { isVoteWanted } from './wanted-vote.ts';

const most = 5;

/** What can be said next about a run of one's own, without its id. */
const nextWords: Readonly<Partial<Record<RunStatus, readonly string[]>>> = {
  planned: ['cancel'],
  queued: ['cancel'],
  running: ['pause', 'stop'],
  paused: ['resume', 'stop'],
  parked: ['retry', 'rollback', 'keep'],
};

/** What help can say about the place and the person that ask. */
export async function helpHere(
  commands: readonly Pick<Command, 'word' | 'roles'>[],
  { door, person, channel }: Pick<CommandContext, 'door' | 'person' | 'channel'>,
): Promise<HelpHere> {
  const own = (roles: readonly Role[]) => roles.some((role) => person.roles.includes(role));
  const may = new Set(commands.filter(({ roles }) => own(roles)).map(({ word }) => word));
  const open = (await newestRuns(door, person)).filter(({ status }) => !isOver(status));
  const mine = open.filter(({ requester }) => requester.id === person.id);
  const toVote = open.filter((run) => isVoteWanted(run, person));
  const say = (run: Run, words: readonly string[]) => ({
    run,
    next: words.filter((word) => may.has(word)).map((word) => `${word} ${run.id}`),
  });
  return {
    environments: environmentsOf(door, channel ?? null),
    all: door.environments.map(({ name }) => name),
    roles: person.roles,
    notForYou: commands.filter(({ word }) => !may.has(word)).map(({ word }) => word),
    mine: mine.slice(0, most).map((run) => say(run, ['runs', ...(nextWords[run.status] ?? [])])),
    toVote: toVote.slice(0, most).map((run) => say(run, ['approve'])),
  };
}

/** Several environments may share a channel; then all of them are meant. */
function environmentsOf(door: Pick<Door, 'environments'>, channel: string | null): readonly string[] {
  return door.environments.filter((environment) => environment.channel === channel).map(({ name }) => name);
}

/** Help is asked for when something is broken: runs that cannot be read hide nothing else. */
async function newestRuns(door: Pick<Door, 'runs'>, person: CommandContext['person']): Promise<readonly Run[]> {
  try {
    const runs = await door.runs({ limit: 50 }, person);
    return 'kind' in runs ? [] : runs;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [];
  }
}
