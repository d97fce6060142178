/** Everybody in the simulated workspace. Ids are stable, so that configurations and tests may name them. */
export interface Member {
  readonly id: string;
  readonly name: string;
  readonly realName: string;
}

const member = (id: string, name: string, realName: string): Member => ({ id, name, realName });

export const people = {
  alice: member('U0ALICE00', 'alice', 'Alice Adler'),
  erin: member('U0ERIN000', 'erin', 'Erin Ekström'),
  bob: member('U0BOB0000', 'bob', 'Bob Brandt'),
  dana: member('U0DANA000', 'dana', 'Dana Dvořák'),
  carol: member('U0CAROL00', 'carol', 'Carol Costa'),
  mallory: member('U0MALLORY', 'mallory', 'Mallory Moss'),
} as const;

export type PersonName = keyof typeof people;

export const bot = { userId: 'U0TASBOT0', botId: 'B0TASBOT0', appId: 'A0TASBOT0', name: 'tas' } as const;

/** Slack's own voice. */
export const slackbot = 'USLACKBOT';

export const team = { id: 'T0TAS0000', domain: 'tas-sandbox', name: 'TAS sandbox' } as const;

export const groups = {
  operators: { id: 'S0OPERATE', handle: 'tas-operators' },
  approvers: { id: 'S0APPROVE', handle: 'tas-approvers' },
  viewers: { id: 'S0VIEWERS', handle: 'tas-viewers' },
} as const;

/** Members at the start; tests may change them. */
export const firstMembers: Readonly<Record<string, readonly string[]>> = {
  [groups.operators.id]: [people.alice.id, people.erin.id],
  [groups.approvers.id]: [people.bob.id, people.dana.id],
  [groups.viewers.id]: [people.carol.id],
};

export const channels = [
  { id: 'C0PLATFRM', name: 'tas-platform' },
  { id: 'C0GENERAL', name: 'general' },
] as const;
