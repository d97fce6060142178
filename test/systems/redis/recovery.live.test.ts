import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { liveEndpoints } from '../../live-stores.ts';
import { kindOf, performAll, stepContext } from '../step-contexts.ts';
import { scratchRedis } from './scratch-redis.ts';

it('shows the fence and the journal of exactly this run by redis-cli', async () => {
  const redis = await scratchRedis();
  try {
    const system = redis.system();
    await redis.fill('tenant:', 30, 500, ':notebooks');
    const context = stepContext({ runId: 'run-a' });
    await performAll(kindOf(system, 'redis.flush-keys'), { patterns: ['tenant:*'], rebuilds: true }, context, 700);
    const { environment } = context.fence;
    const lines = system.recovery?.({ environment, runId: 'run-a', runIds: ['run-a', 'run-b'], steps: [] }) ?? [];
    const password = 'password' in liveEndpoints().redis ? String(liveEndpoints().redis.password) : '';
    const env = { ...process.env, ...(password === '' ? {} : { REDISCLI_AUTH: password }) };
    const typed = async (command: string | null) =>
      (await promisify(execFile)('bash', ['-c', command ?? 'false'], { env })).stdout.trim();
    const [fence, ours, theirs] = await Promise.all(lines.map(({ command }) => typed(command)));
    expect(fence).toBe(String(context.fence.token));
    expect(ours).toMatch(/^tas:journal:run-a:/);
    expect(theirs).toBe('');
  } finally {
    await redis.close();
  }
});
