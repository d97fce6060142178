import { randomBytes } from 'node:crypto';

/** A trigger id opens one modal, within this time in milliseconds. */
const triggerLifetime = 3_000;

/** `viewId`: the modal from which it came; null = from a message, a command or a shortcut. */
export interface Trigger {
  readonly user: string;
  readonly viewId: string | null;
}

export type TriggerError = 'invalid_trigger_id' | 'expired_trigger_id' | 'exchanged_trigger_id';

export interface Triggers {
  give(trigger: Trigger): string;
  /** Takes it out of circulation. */
  take(id: string): Trigger | TriggerError;
}

export function createTriggers(now: () => number): Triggers {
  const given = new Map<string, Trigger & { readonly at: number; taken: boolean }>();
  return {
    give(trigger) {
      const id = `${Math.floor(now())}.${given.size + 1}.${randomBytes(8).toString('hex')}`;
      given.set(id, { ...trigger, at: now(), taken: false });
      return id;
    },
    take(id) {
      const trigger = given.get(id);
      if (!trigger) return 'invalid_trigger_id';
      if (trigger.taken) return 'exchanged_trigger_id';
      if (now() - trigger.at > triggerLifetime) return 'expired_trigger_id';
      trigger.taken = true;
      return trigger;
    },
  };
}
