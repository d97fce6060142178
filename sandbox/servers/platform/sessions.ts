import type { Endpoints } from '../endpoints.ts';

/** Whether the services that run hold sessions in the stores, as they do from the start, or rest. */
export async function holdPlatformSessions({ platform }: Endpoints, hold: boolean): Promise<void> {
  const answer = await fetch(`${platform.url}/sessions/${hold ? 'hold' : 'rest'}`, { method: 'PUT' });
  if (!answer.ok) throw new Error(`the platform's stand-in answers ${answer.status}`);
}
