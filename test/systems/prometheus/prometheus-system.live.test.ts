import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '../../../src/shared/failure.ts';
import { Secret } from '../../../src/shared/secret.ts';
import {
  createPrometheusSystem,
  type PrometheusSystemOptions,
} from '../../../src/systems/prometheus/prometheus-system.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { kindOf, performAll, stepContext } from '../step-contexts.ts';
import { type MeasuredTarget, measuredTarget, until } from './measured-target.ts';

const system = (over: Partial<PrometheusSystemOptions> = {}): System =>
  createPrometheusSystem({ name: 'metrics', url: liveEndpoints().prometheus.url, ...over });

const failureOf = async (work: () => Promise<unknown>): Promise<Failure> => {
  const error = await work().then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw new Error('it did not fail as a Failure', { cause: error });
};

const verify = async (name: string, input: unknown, over = {}) => {
  const kind = kindOf(system(), name);
  return (await kind.verify?.(kind.input.parse(input), stepContext(over))) ?? [];
};
const preview = async (name: string, input: unknown) => {
  const kind = kindOf(system(), name);
  return kind.preview(kind.input.parse(input), stepContext());
};

/** What the engine hands in as the start of a run. */
const startedNow = (): { sequenceBase: string } => ({ sequenceBase: String(Date.now() * 1000) });

describe('prometheus', () => {
  let target: MeasuredTarget;
  beforeAll(async () => {
    target = await measuredTarget();
  });
  afterAll(() => target.close());

  describe('as a server', () => {
    it('says the same identity over and over, and is healthy with its version', async () => {
      const identity = await system().identity();
      expect(identity).toMatch(/^[0-9a-f]{32}$/);
      expect(await system({ url: `${liveEndpoints().prometheus.url}/` }).identity()).toBe(identity);
      expect(await system().checkHealth()).toMatchObject({ up: true, version: expect.stringMatching(/^\d+\.\d+/) });
    });

    it('says that it is down where nothing listens', async () => {
      const absent = system({ url: 'http://127.0.0.1:2', token: new Secret('the-token') });
      const failure = await failureOf(() => absent.identity());
      expect(failure).toMatchObject({ code: 'unreachable', retryable: true });
      expect(await absent.checkHealth()).toMatchObject({
        up: false,
        note: expect.stringContaining('cannot be reached'),
      });
      expect(await absent.preflight?.({ uses: [], bytes: 0 })).toEqual([expect.objectContaining({ status: 'failed' })]);
    });

    it('asks a busy server again, and shows no token where it is refused', async () => {
      const statuses: number[] = [503, 503, 200, 401];
      const answers = createServer((_, answer) => {
        const status = statuses.shift() ?? 401;
        answer.statusCode = status;
        answer.end(status === 200 ? '{"status":"success","data":{"storage.tsdb.path":"/data"}}' : 'no');
      });
      await new Promise<void>((resolve) => answers.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(answers.address() as AddressInfo).port}`;
      try {
        const failure = await failureOf(() => system({ url, token: new Secret('the-token') }).identity());
        expect(failure.code).toBe('wrong-password');
        expect(statuses).toEqual([]);
        expect(JSON.stringify(failure) + failure.message).not.toContain('the-token');
      } finally {
        answers.close();
      }
    });
  });

  describe('its error budget', () => {
    it('strains by value over limit, and says why', async () => {
      await target.set('tas_errors', 0.02);
      const budget = { query: 'tas_errors', limit: 0.04, title: 'errors' };
      expect(await system({ budget }).load?.()).toEqual({ strain: 0.5, why: 'errors is 0.02 of 0.04' });
      await target.set('tas_errors', 0.06);
      expect((await system({ budget }).load?.())?.strain).toBeCloseTo(1.5);
      expect((await system({ budget: { ...budget, query: 'tas_nowhere' } }).load?.())?.strain).toBe(0);
      expect(system().load).toBeUndefined();
    });

    it('is looked at before a run: one that cannot be read fails, one without data warns', async () => {
      const statusOf = async (query: string) => {
        const findings = await system({ budget: { query, limit: 1, title: 'errors' } }).preflight?.({
          uses: [],
          bytes: 0,
        });
        return findings?.find(({ check }) => check === 'error-budget')?.status;
      };
      expect(await statusOf('up')).toBe('passed');
      expect(await statusOf('tas_nowhere')).toBe('warning');
      expect(await statusOf('sum(')).toBe('failed');
      expect(await statusOf('up[1m]')).toBe('failed');
    });
  });

  describe('queries', () => {
    const one = (query: string) => ({ queries: [{ id: 'one', title: 'One', query }], over: '5s' });

    it('that nobody can read refuse the plan with their position', async () => {
      const { findings } = await preview('prometheus.record-metrics', one('sum(rate(up[1m])'));
      expect(findings).toEqual([
        expect.objectContaining({ status: 'failed', advice: expect.stringMatching(/line 1, column \d+/) }),
      ]);
    });

    it('that give several series or a range refuse it too; no data is a warning', async () => {
      const statusOf = async (query: string) =>
        (await preview('prometheus.record-metrics', one(query))).findings[0]?.status;
      expect(await statusOf('prometheus_http_requests_total')).toBe('failed');
      expect(await statusOf('up[1m]')).toBe('failed');
      expect(await statusOf('tas_nowhere')).toBe('warning');
      expect(await statusOf('sum(up)')).toBe('passed');
      expect(await statusOf('1 + 1')).toBe('passed');
    });

    it('of the same id are refused', () => {
      const kind = kindOf(system(), 'prometheus.record-metrics');
      const twice = [one('up').queries[0], one('up').queries[0]];
      expect(kind.input.safeParse({ queries: twice, over: '5s' }).success).toBe(false);
    });
  });

  describe('metrics before and after', () => {
    it('are told as means; what has no data is skipped with the reason', async () => {
      await target.set('tas_recorded', 42);
      const queries = [
        { id: 'there', title: 'There', query: 'tas_recorded' },
        { id: 'nowhere', title: 'Nowhere', query: 'tas_nowhere' },
      ];
      expect(await verify('prometheus.record-metrics', { queries, over: '5s' })).toEqual([
        expect.objectContaining({ check: 'there', status: 'passed', title: 'There: 42' }),
        expect.objectContaining({
          check: 'nowhere',
          status: 'skipped',
          count: null,
          advice: expect.stringContaining('no data'),
        }),
      ]);
    });

    it('fail where they are worse by more than is tolerated, and only there', async () => {
      for (const gauge of ['tas_delay', 'tas_rate', 'tas_small']) await target.set(gauge, 10);
      // A whole window of the old values, then one of the new.
      const settled = Date.now() + 3_000;
      await until(async () => Date.now() > settled);
      const run = startedNow();
      await target.set('tas_delay', 20);
      await target.set('tas_rate', 5);
      await target.set('tas_new', 1);
      const metric = { title: 'T', tolerancePercent: 50 };
      const input = {
        queries: [
          { ...metric, id: 'slower', query: 'tas_delay', worse: 'higher' },
          { ...metric, id: 'not-lower', query: 'tas_delay', worse: 'lower' },
          { ...metric, id: 'tolerated', query: 'tas_delay', worse: 'higher', tolerancePercent: 100 },
          { ...metric, id: 'under-floor', query: 'tas_delay', worse: 'higher', floor: 25 },
          { ...metric, id: 'less', query: 'tas_rate', worse: 'lower', tolerancePercent: 10 },
          { ...metric, id: 'same', query: 'tas_small', worse: 'higher', tolerancePercent: 0 },
          { ...metric, id: 'new', query: 'tas_new', worse: 'higher' },
        ],
        over: '2s',
      };
      const kind = kindOf(system(), 'prometheus.compare-metrics');
      const results = await performAll(kind, input, stepContext(run), 100);
      expect(results.at(-1)).toEqual({ cursor: null, done: 0 });
      const findings = await verify('prometheus.compare-metrics', input, run);
      expect(Object.fromEntries(findings.map(({ check, status }) => [check, status]))).toEqual({
        slower: 'failed',
        'not-lower': 'passed',
        tolerated: 'passed',
        'under-floor': 'passed',
        less: 'failed',
        same: 'passed',
        new: 'skipped',
      });
      expect(findings[0]?.title).toBe('T: 10 before, 20 after');
    });

    it('measure in batches of a few seconds, and go on after a crash where they were', async () => {
      const kind = kindOf(system(), 'prometheus.compare-metrics');
      const queries = [{ id: 'up', title: 'Up', query: 'sum(up)', worse: 'lower', tolerancePercent: 0 }];
      const input = kind.input.parse({ queries, over: '60s' });
      const started = Date.now();
      const batch = { index: 0, cursor: null, done: 0, size: 1 };
      const first = await kind.performBatch(input, batch, stepContext());
      expect(Date.now() - started).toBeLessThan(8_000);
      expect(first).toMatchObject({ done: 0, note: expect.stringContaining('measures for another') });
      const resumed = { ...batch, index: 9, cursor: { waitedMs: 59_900 } };
      expect((await kind.performBatch(input, resumed, stepContext())).cursor).toBeNull();
    });
  });

  describe('waiting for quiet', () => {
    const input = { query: 'tas_noise', below: 1, for: '2s', within: '30s' };

    it('ends when the value has been below the limit for long enough', async () => {
      await target.set('tas_noise', 7);
      const kind = kindOf(system(), 'prometheus.await-quiet');
      const waiting = performAll(kind, input, stepContext(), 1);
      await target.set('tas_noise', 0);
      const lowered = Date.now();
      expect((await waiting).at(-1)).toEqual({ cursor: null, done: 0 });
      expect(Date.now() - lowered).toBeGreaterThan(500);
    });

    it('fails after its time with what it waited for; no data is no quiet', async () => {
      await target.set('tas_noise', 7);
      const kind = kindOf(system(), 'prometheus.await-quiet');
      const noisy = await failureOf(() => performAll(kind, { ...input, within: '1s' }, stepContext(), 1));
      expect(noisy).toMatchObject({
        code: 'timed-out',
        retryable: true,
        message: expect.stringContaining('the value is 7'),
      });
      const nowhere = { ...input, query: 'tas_nowhere', within: '1s' };
      const silent = await failureOf(() => performAll(kind, nowhere, stepContext(), 1));
      expect(silent.message).toContain('there is no data');
    });

    it('ends at once when it is told to', async () => {
      const kind = kindOf(system(), 'prometheus.await-quiet');
      const ended = performAll(kind, { ...input, query: 'up' }, stepContext({ signal: AbortSignal.timeout(300) }), 1);
      await expect(ended).rejects.toThrow();
    });
  });
});
