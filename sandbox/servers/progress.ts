import { sayDuration } from '../../src/shared/duration.ts';

/** Says what goes on for one piece of work among several side by side. */
export interface Task {
  /** What is done now, with an estimate of how long it takes where one is known. */
  begin(what: string, estimateMs?: number): void;
  /** How far it is, such as `120 of 221 files`; shown with the next line. */
  count(detail: string): void;
  done(what: string): void;
}

export interface Progress {
  task(name: string): Task;
  /** Ends the lines that are drawn again and again. */
  stop(): void;
}

interface Running {
  readonly name: string;
  what: string;
  detail: string;
  since: number;
  saidAt: number;
  estimateMs: number | undefined;
}

const silentTask: Task = { begin() {}, count() {}, done() {} };
export const silentProgress: Progress = { task: () => silentTask, stop() {} };

/**
 * Progress as lines: each beginning and end, and every `everyMs` how far the work in between is. On a terminal one last
 * line is drawn again each second with everything that runs.
 */
export function createProgress(stream: NodeJS.WriteStream, everyMs = 15_000): Progress {
  const start = Date.now();
  const running = new Set<Running>();
  const redraw = stream.isTTY === true;
  const erase = redraw ? '\r\u001b[K' : '';
  const write = (name: string, text: string): void => {
    const at = `${Math.round((Date.now() - start) / 1000)} s`.padStart(6);
    stream.write(`${erase}[${at}] ${name.padEnd(12)} ${text}\n`);
  };
  const draw = (): void => {
    const now = Date.now();
    if (redraw && running.size > 0) {
      const line = [...running].map((task) => `${task.name}: ${howFar(task, now)}`).join(' · ');
      stream.write(`${erase}${line.slice(0, (stream.columns ?? 80) - 1)}`);
    }
    for (const task of running) {
      if (redraw || now - task.saidAt < everyMs) continue;
      task.saidAt = now;
      write(task.name, `${task.what}: ${howFar(task, now)}`);
    }
  };
  const timer = setInterval(draw, 1000);
  timer.unref();
  return {
    task: (name) => createTask(name, running, write),
    stop() {
      clearInterval(timer);
      if (redraw) stream.write(erase);
    },
  };
}

function createTask(name: string, running: Set<Running>, write: (name: string, text: string) => void): Task {
  let current: Running | null = null;
  const finish = (): void => {
    if (current !== null) running.delete(current);
    current = null;
  };
  return {
    begin(what, estimateMs) {
      finish();
      const now = Date.now();
      current = { name, what, detail: '', since: now, saidAt: now, estimateMs };
      running.add(current);
      write(name, estimateMs === undefined ? `${what} …` : `${what}, about ${sayDuration(estimateMs)} …`);
    },
    count(detail) {
      if (current !== null) current.detail = detail;
    },
    done(what) {
      const took = current === null ? '' : ` (${sayDuration(Date.now() - current.since)})`;
      finish();
      write(name, `${what}${took}`);
    },
  };
}

function howFar(task: Running, now: number): string {
  const elapsed = now - task.since;
  const said = sayDuration(Math.round(elapsed / 1000) * 1000);
  const { estimateMs } = task;
  let time = said;
  if (estimateMs !== undefined && elapsed <= estimateMs) time = `${said} of about ${sayDuration(estimateMs)}`;
  if (estimateMs !== undefined && elapsed > estimateMs) time = `${said}, longer than on an idle machine`;
  return task.detail === '' ? time : `${time}, ${task.detail}`;
}
