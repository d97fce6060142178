import type { Plan } from './plan.ts';

/** Everybody who asked, the person who asked in the end first: none of them may approve it. */
export function requestersOf({
  requester,
  plan,
}: {
  readonly requester: { readonly id: string };
  readonly plan: Pick<Plan, 'alsoAskedBy'>;
}): readonly string[] {
  return [requester.id, ...(plan.alsoAskedBy ?? [])];
}
