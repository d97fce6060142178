import type { Clock } from '../shared/clock.ts';
import { stoppedBy } from './before-batch.ts';
import type { Asker } from './control-records.ts';
import type { ControlRequest, Refusal } from './door.ts';
import { findRun } from './find-run.ts';
import { mayControl } from './gates.ts';
import type { Run } from './run.ts';
import type { RunRecords, StoredRun } from './run-records.ts';
import { refusalOf } from './submit.ts';
import { paces } from './throttle.ts';

interface Deps {
  readonly records: RunRecords;
  readonly clock: Clock;
}

/** Pause, resume, stop, cancel, slower, faster. Asked twice it happens once; what does not fit the status is refused. */
export async function controlRun(deps: Deps, request: ControlRequest): Promise<Run | Refusal> {
  const run = await findRun(deps.records, request.runId);
  const allowed = mayControl(run, request.what, request.person, deps.clock.now());
  if (!allowed.pass) return refusalOf(allowed);
  const refused = await carryOutControl(deps, run, request);
  return refused ?? findRun(deps.records, request.runId);
}

/** Null when it is done. */
async function carryOutControl({ records }: Deps, run: StoredRun, request: ControlRequest): Promise<Refusal | null> {
  const { what, person } = request;
  const by = { id: person.id, name: person.name };
  const stale = async (): Promise<Refusal> => staleRefusal(await findRun(records, run.id), what);
  switch (what) {
    case 'pause':
      return (await records.askToHalt(run.id, 'pause', by)) === 'over' ? stale() : null;
    case 'stop': {
      const stopped = await records.stopPaused(run.id, by, stoppedBy(person.name));
      return stopped || (await records.askToHalt(run.id, 'stop', by)) !== 'over' ? null : stale();
    }
    case 'resume':
      return (await records.resume(run.id, by)) ? null : stale();
    case 'cancel':
      return (await records.withdraw(run.id, by)) ? null : stale();
    case 'dispute':
      await dispute(records, run, by);
      return null;
    case 'slower':
    case 'faster':
      return changePace(records, run, request, by);
  }
}

/** Brought to a stand wherever it is: not begun it is withdrawn, running it pauses. People are told once, whatever it comes to. */
async function dispute(records: RunRecords, run: StoredRun, by: Asker): Promise<void> {
  const withdrawn = await records.withdraw(run.id, by);
  const halted = withdrawn || (await records.askToHalt(run.id, 'pause', by)) !== 'over';
  const now = withdrawn
    ? 'the run is withdrawn, nothing was changed'
    : halted
      ? 'the run pauses at the next batch'
      : `the run is ${run.status}, and stays so`;
  const text = `${by.name} says that the vote in their name was not theirs: ${now}`;
  await records.event(run.id, 'disputed', text, `disputed:${by.id}`);
}

async function changePace(
  records: RunRecords,
  run: StoredRun,
  { what, seen }: ControlRequest,
  by: { readonly id: string; readonly name: string },
): Promise<Refusal | null> {
  const from = seen ?? run.control.pace;
  const at = paces.indexOf(from);
  const to = paces[at + (what === 'slower' ? -1 : 1)];
  if (at < 0 || to === undefined) {
    const message = `${run.id} goes as ${what === 'slower' ? 'slow' : 'fast'} as it may: its pace is ${from}.`;
    return refusalOf({ pass: false, code: 'stale', message, advice: 'Nothing was changed.' });
  }
  if (await records.changePace(run.id, from, to, by)) return null;
  const now = await findRun(records, run.id);
  // A second tap on the same button: the pace is what it asked for already.
  if (seen !== null && now.control.pace === to) return null;
  return staleRefusal(now, what);
}

const fits = {
  pause: 'running',
  resume: 'paused',
  stop: 'running or paused',
  cancel: 'planned or queued',
  slower: 'running or paused',
  faster: 'running or paused',
  dispute: 'voted on',
} as const;

function staleRefusal(run: Run, what: ControlRequest['what']): Refusal {
  const started = what === 'cancel' && (run.status === 'running' || run.status === 'paused');
  return refusalOf({
    pass: false,
    code: 'stale',
    message: `${run.id} is ${run.status}, not ${fits[what]}.`,
    advice: started
      ? `Stop it instead: \`/tas stop ${run.id}\`. Nothing was changed.`
      : '`/tas status` shows where things are. Nothing was changed.',
  });
}
