import type { Person, Refusal, Role } from '../runs/door.ts';
import { mayRead } from '../runs/gates.ts';
import type { Run } from '../runs/run.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import { type Contact, contactsOf } from './contact.ts';
import type { Page, PageStore } from './page.ts';
import type { Duty, PagerDuty } from './pager-duty.ts';

/** Who is called, and for what just now. */
export interface OnCallView {
  /** Null = of all environments. */
  readonly environment: string | null;
  /** Null where PagerDuty is not asked, or does not answer: then `note` says so. */
  readonly duties: { readonly now: readonly Duty[]; readonly next: readonly Duty[] } | null;
  readonly note: string | null;
  /** Phones only for those who may see them. */
  readonly contacts: readonly Contact[];
  readonly pages: readonly OpenPage[];
}

export interface OpenPage extends Pick<Page, 'severity' | 'summary' | 'raisedAt' | 'runId'> {
  /** PagerDuty has it and somebody took it up, or nobody yet; null = not known. */
  readonly state: 'acknowledged' | 'triggered' | null;
}

/** What people ask about who is called. */
export interface OnCallDesk {
  view(environment: string | null, person: Person): Promise<OnCallView | Refusal>;
  /** A disputed vote on this run has been looked into; null = nobody is called for it any more. */
  settle(run: Run, person: Person): Promise<Refusal | null>;
}

interface Deps {
  readonly pagerDuty: Pick<PagerDuty, 'duties' | 'incidents'> | null;
  readonly contacts: readonly Contact[];
  readonly phoneFor: readonly Role[];
  readonly store: Pick<PageStore, 'open'>;
  readonly clock: Clock;
}

const freshFor = 60_000;
const ahead = 7 * 24 * 3_600_000;
/** PagerDuty is asked for each: more are shown without their state. */
const mostAsked = 10;

export function createOnCallDesk(deps: Deps): Pick<OnCallDesk, 'view'> {
  const readDuties = rememberedDuties(deps);
  return {
    async view(environment, person) {
      const gate = mayRead(person);
      if (!gate.pass)
        return { kind: 'refused', code: gate.code, message: gate.message, advice: gate.advice, findings: [] };
      const pages = await deps.store.open(environment);
      const [duties, states] = await Promise.all([readDuties(), readStates(deps, pages)]);
      const shown = deps.phoneFor.some((role) => person.roles.includes(role));
      return {
        environment,
        ...duties,
        contacts: contactsOf(deps.contacts, environment).map(({ phone, ...contact }) =>
          shown && phone !== undefined ? { ...contact, phone } : contact,
        ),
        pages: pages.map(({ key, severity, summary, raisedAt, runId }) => {
          const state = states.get(key);
          const known = state === 'acknowledged' || state === 'triggered' ? state : null;
          return { severity, summary, raisedAt, runId, state: known };
        }),
      };
    },
  };
}

type Duties = Pick<OnCallView, 'duties' | 'note'>;

/** Asked at most once a minute; an answer that failed is remembered for as long, so that nobody waits twice. */
function rememberedDuties({ pagerDuty, clock }: Deps): () => Promise<Duties> {
  let last: { readonly at: number; readonly answer: Promise<Duties> } | null = null;
  return () => {
    const now = clock.now();
    if (last === null || now.getTime() - last.at >= freshFor) {
      last = { at: now.getTime(), answer: askDuties(pagerDuty, now) };
    }
    return last.answer;
  };
}

async function askDuties(pagerDuty: Deps['pagerDuty'], now: Date): Promise<Duties> {
  if (pagerDuty === null) return { duties: null, note: null };
  if (pagerDuty.duties === null)
    return { duties: null, note: 'The bot pages through PagerDuty, but may not read who is on call.' };
  try {
    return { duties: sortDuties(await pagerDuty.duties(now, new Date(now.getTime() + ahead)), now), note: null };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { duties: null, note: `${error.message} These are the contacts of the configuration.` };
  }
}

/** Who is on call now, and for each level of a policy the one who follows. */
export function sortDuties(duties: readonly Duty[], now: Date): NonNullable<OnCallView['duties']> {
  const at = now.getTime();
  const begins = ({ from }: Duty): number => (from === null ? 0 : Date.parse(from));
  const order = (a: Duty, b: Duty): number =>
    a.policy.localeCompare(b.policy) || a.level - b.level || begins(a) - begins(b);
  const isOn = (duty: Duty): boolean => begins(duty) <= at && (duty.until === null || Date.parse(duty.until) > at);
  const next = new Map<string, Duty>();
  for (const duty of duties.filter((one) => begins(one) > at).sort((a, b) => begins(a) - begins(b))) {
    const place = `${duty.policy}\n${duty.level}`;
    if (!next.has(place)) next.set(place, duty);
  }
  return { now: duties.filter(isOn).sort(order), next: [...next.values()].sort(order) };
}

async function readStates({ pagerDuty }: Deps, pages: readonly Page[]): Promise<ReadonlyMap<string, string>> {
  if (!pagerDuty?.incidents || pages.length === 0) return new Map();
  return pagerDuty.incidents(pages.slice(0, mostAsked).map(({ key }) => key)).catch((error: unknown) => {
    if (error instanceof Failure) return new Map<string, string>();
    throw error;
  });
}
