/** What goes wrong with the next call of a method. */
export type CallFault =
  | { readonly kind: 'limited'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly error: string }
  /** The call is carried out, and the connection is cut before its answer. */
  | { readonly kind: 'answer-lost' };

/** Troubles that tests order. */
export interface Faults {
  /** While true every connection is cut, as if Slack could not be reached. */
  down: boolean;
  order(method: string, fault: CallFault): void;
  /** The next one that was ordered for the method; null = none. */
  take(method: string): CallFault | null;
}

export function createFaults(): Faults {
  const ordered = new Map<string, CallFault[]>();
  return {
    down: false,
    order: (method, fault) => void ordered.set(method, [...(ordered.get(method) ?? []), fault]),
    take(method) {
      const [first = null, ...rest] = ordered.get(method) ?? [];
      ordered.set(method, rest);
      return first;
    },
  };
}
