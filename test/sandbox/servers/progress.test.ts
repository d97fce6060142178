import { jest } from '@jest/globals';
import { createProgress } from '../../../sandbox/servers/progress.ts';

/** What a stream that is no terminal, or one that is, is sent. */
function createStream(isTTY: boolean): { readonly stream: NodeJS.WriteStream; readonly text: () => string } {
  let text = '';
  const write = (chunk: string): boolean => {
    text += chunk;
    return true;
  };
  const stream = { isTTY, columns: 80, write };
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
}

describe('progress', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('says in plain lines what begins, how long it will take, how far it is and what it took', () => {
    const { stream, text } = createStream(false);
    const progress = createProgress(stream, 15_000);
    const task = progress.task('MinIO');
    task.begin('building', 240_000);
    task.count('package 7 of about 1300');
    jest.advanceTimersByTime(20_000);
    jest.advanceTimersByTime(240_000);
    task.done('built');
    progress.stop();
    const lines = text().split('\n');
    expect(lines[0]).toBe('[   0 s] MinIO        building, about 4 min …');
    expect(lines[1]).toBe('[  15 s] MinIO        building: 15 s of about 4 min, package 7 of about 1300');
    expect(lines.at(-3)).toContain('4 min 15 s, longer than on an idle machine');
    expect(lines.at(-2)).toBe('[ 260 s] MinIO        built (4 min 20 s)');
    expect(lines).toHaveLength(20);
  });

  it('draws one line for all that runs on a terminal, and says nothing more once it is stopped', () => {
    const { stream, text } = createStream(true);
    const progress = createProgress(stream);
    progress.task('Neo4j').begin('fetching', 80_000);
    progress.task('MinIO').begin('building', 240_000);
    jest.advanceTimersByTime(3_000);
    expect(text().split('\u001b[K').at(-1)).toBe('Neo4j: 3 s of about 1 min 20 s · MinIO: 3 s of about 4 min');
    progress.stop();
    const length = text().length;
    jest.advanceTimersByTime(60_000);
    expect(text()).toHaveLength(length);
  });
});
