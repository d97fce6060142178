import { measureRun } from '../../blocks/measure.ts';
import { sayCount, statusWords } from '../../blocks/say.ts';
import { sayTimeLeft } from '../../blocks/time-left.ts';
import type { Door } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import { isOver, standsStill } from '../runs/run-status.ts';
import type { Clock } from '../shared/clock.ts';

/** Looks at least so often, in milliseconds, in case nobody wakes it. */
const pollEvery = 1_000;
/** Between two lines about the same step. */
const sayEvery = 2_000;

/** Follows a run until nothing moves any more: over, standing still, or waiting for votes or its window. `say` gets a line now and then, `begins` hears once that it is under way. */
export async function followRun(
  door: Pick<Door, 'run' | 'listen'>,
  first: Run,
  clock: Clock,
  say: (line: string) => void,
  begins: (run: Run) => void = () => {},
): Promise<Run> {
  let wake: () => void = () => {};
  let woken = false;
  const stopListening = await door.listen(() => {
    woken = true;
    wake();
  });
  const tell = createTeller(clock, say);
  let begun = false;
  try {
    let run = (await door.run(first.id)) ?? first;
    while (!isStill(run, clock.now())) {
      if (!begun && run.status === 'running') {
        begun = true;
        begins(run);
      }
      tell(run);
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, pollEvery);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      woken = false;
      run = (await door.run(first.id)) ?? run;
    }
    return run;
  } finally {
    await stopListening();
  }
}

function isStill({ status, plan }: Run, now: Date): boolean {
  // It may be days until its window opens.
  const waits = status === 'queued' && plan.window !== undefined && Date.parse(plan.window.from) > now.getTime();
  return isOver(status) || standsStill(status) || status === 'planned' || waits;
}

function createTeller(clock: Clock, say: (line: string) => void): (run: Run) => void {
  let lastStep = '';
  let lastAt = Number.NEGATIVE_INFINITY;
  return (run) => {
    const now = clock.now();
    const measure = measureRun(run, now);
    const step =
      measure.current === null ? statusWords[run.status] : `${measure.current.stage}: ${measure.current.step.title}`;
    if (step === lastStep && now.getTime() - lastAt < sayEvery) return;
    lastStep = step;
    lastAt = now.getTime();
    const counts = measure.total === 0 ? '' : ` · ${sayCount(measure.done)} of ${sayCount(measure.total)}`;
    const speed = measure.perSecond === null ? '' : ` · ${sayCount(measure.perSecond)}/s`;
    const time = sayTimeLeft(measure.left);
    const left = time === '' ? '' : ` · ${time}`;
    say(`${run.id} ${Math.floor(measure.fraction * 100)} % · ${step}${counts}${speed}${left}`);
  };
}
