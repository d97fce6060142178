import type { Act, ActAnswer, Asked } from '../acts.ts';

/** Does something in the person's name; the answer says what went wrong, if anything did. */
export async function ask(person: string, act: Act): Promise<ActAnswer> {
  try {
    const response = await fetch('/acts', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ person: person as Asked['person'], act } satisfies Asked),
    });
    return (await response.json()) as ActAnswer;
  } catch {
    return { complaint: 'The sandbox does not answer. Is it still running?' };
  }
}

export type { Act, ActAnswer };
