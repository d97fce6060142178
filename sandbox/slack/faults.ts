/** What goes wrong with the next call of a method. */
export type CallFault =
  | { readonly kind: 'limited'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly error: string }
  /** The call is carried out, and the connection is cut before its answer. */
  | { readonly kind: 'answer-lost' };

/** How Slack is away: each connection is cut, none is accepted, calls are answered with 503, or not at all. */
export type Outage = 'cut' | 'refused' | 'unavailable' | 'silent';

/** Troubles that tests order. */
export interface Faults {
  /** Null = Slack can be reached. */
  down: Outage | null;
  order(method: string, fault: CallFault): void;
  /** The next one that was ordered for the method; null = none. */
  take(method: string): CallFault | null;
}

export function createFaults(): Faults {
  const ordered = new Map<string, CallFault[]>();
  return {
    down: null,
    order: (method, fault) => void ordered.set(method, [...(ordered.get(method) ?? []), fault]),
    take(method) {
      const [first = null, ...rest] = ordered.get(method) ?? [];
      ordered.set(method, rest);
      return first;
    },
  };
}
