import type { Notices } from '../notices/notice.ts';
import type { Door, Person } from '../runs/door.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import type { Logger } from '../shared/logger.ts';
import type { Confirmation, ConfirmationStore } from './confirmation.ts';
import type { IdentityProvider } from './identity-provider.ts';
import type { Page } from './page.ts';
import {
  askPage,
  changedPage,
  failurePage,
  goOnPage,
  lostLoginPage,
  outcomePage,
  overPage,
  wrongPersonPage,
} from './pages.ts';
import { derive, hashOf, isSecret, newSecret } from './secrets.ts';

export interface ConfirmDeps {
  readonly store: ConfirmationStore;
  readonly provider: IdentityProvider;
  readonly door: Pick<Door, 'run' | 'vote'>;
  /** The voter with the roles that he has now. Throws `unreachable`. */
  readonly person: (voter: Pick<Person, 'id' | 'name'>, breaksGlass: boolean) => Promise<Person>;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** From the link to the vote, as a browser walks it. Failures come back as pages. */
export interface ConfirmApproval {
  /** What the link is about. Changes nothing: whatever previews links may look. */
  look(token: string): Promise<Page>;
  /** Sends the browser to the provider; `login` = what it has to bring back with the answer. */
  begin(token: string): Promise<{ readonly page: Page; readonly login: BrowserLogin | null }>;
  /** The provider's answer, once. `browserSecret` = what the browser brought for this login; null = nothing. */
  finish(answer: URLSearchParams, browserSecret: string | null): Promise<Page>;
}

interface BrowserLogin {
  readonly state: string;
  readonly browserSecret: string;
}

export function createConfirmApproval(deps: ConfirmDeps): ConfirmApproval {
  const { store, provider, clock } = deps;
  return {
    look: async (token) => (await readAsked(deps, token)).page,
    async begin(token) {
      const asked = await readAsked(deps, token);
      if (asked.confirmation === null) return { page: asked.page, login: null };
      const state = newSecret();
      const browserSecret = newSecret();
      const secrets = { state, nonce: derive(browserSecret, 'nonce'), verifier: derive(browserSecret, 'verifier') };
      return asPage(deps, asked.confirmation, async () => {
        const address = await provider.loginAddress(secrets);
        const login = { loginHash: hashOf(state), browserHash: hashOf(browserSecret) };
        if ((await store.begin(hashOf(token), login, clock.now())) === null)
          return { page: lostLoginPage, login: null };
        return { page: goOnPage(address), login: { state, browserSecret } };
      });
    },
    async finish(answer, browserSecret) {
      const state = answer.get('state') ?? '';
      if (!isSecret(state) || browserSecret === null || !isSecret(browserSecret)) return lostLoginPage;
      const login = { loginHash: hashOf(state), browserHash: hashOf(browserSecret) };
      const confirmation = await store.claim(login, clock.now());
      if (confirmation === null) return lostLoginPage;
      const { page } = await asPage(deps, confirmation, async () => ({
        page: await judge(deps, confirmation, answer, { state, browserSecret }),
        login: null,
      }));
      return page;
    },
  };
}

/** The confirmation where it may go on, and what to show. */
async function readAsked(
  { store, door, clock }: ConfirmDeps,
  token: string,
): Promise<{ readonly page: Page; readonly confirmation: Confirmation | null }> {
  const found = isSecret(token) ? await store.find(hashOf(token)) : null;
  const over = overPage(found, clock.now());
  if (found === null || over !== null) return { page: over ?? changedPage, confirmation: null };
  const run = await door.run(found.runId);
  const page = run === null ? null : askPage(run, found);
  return page === null ? { page: changedPage, confirmation: null } : { page, confirmation: found };
}

async function judge(
  deps: ConfirmDeps,
  confirmation: Confirmation,
  answer: URLSearchParams,
  { state, browserSecret }: BrowserLogin,
): Promise<Page> {
  const { store, provider, door, clock } = deps;
  const { id, runId, digest, reason, breaksGlass, begunAt } = confirmation;
  const secrets = { state, nonce: derive(browserSecret, 'nonce'), verifier: derive(browserSecret, 'verifier') };
  const who = await provider.whoLoggedIn(answer, secrets, begunAt ?? clock.now());
  if (who !== confirmation.person.id) return refuseStranger(deps, confirmation);
  const person = await deps.person(confirmation.person, breaksGlass);
  if (!(await store.prove(id, clock.now()))) return lostLoginPage;
  const broken = breaksGlass ? { breaksGlass } : {};
  const outcome = await door.vote({ runId, digest, person, choice: 'approve', reason, confirmation: id, ...broken });
  if (outcome.kind === 'to-confirm') throw new Error('a confirmed vote was to be confirmed again');
  if (outcome.kind === 'refused') await store.refuse(id);
  return outcomePage(outcome);
}

/** Whoever it was is not told to anybody: the provider knows it. */
async function refuseStranger({ store, notices, logger }: ConfirmDeps, confirmation: Confirmation): Promise<Page> {
  const { id, runId, person } = confirmation;
  await store.refuse(id);
  logger.warn({ run: runId, voter: person.id }, 'somebody other than the voter logged in to confirm an approval');
  await notices.add([
    {
      topic: `step-up:${id}`,
      to: { user: person.id },
      anew: true,
      once: `step-up:${id}:stranger`,
      content: {
        kind: 'line',
        runId,
        text: `Somebody other than you logged in to confirm your approval of \`${runId}\`: it was not counted. Press Approve again to try once more. If it was not you who pressed it, tell the platform team now.`,
      },
    },
  ]);
  return wrongPersonPage(confirmation);
}

/** What the log gets of a failure is its code and its cause's words: no address, no token. */
async function asPage<T extends { readonly page: Page; readonly login: BrowserLogin | null }>(
  { logger }: ConfirmDeps,
  { runId, person }: Confirmation,
  work: () => Promise<T>,
): Promise<T | { readonly page: Page; readonly login: null }> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { cause } = error;
    const word = cause instanceof Error ? { name: cause.name, message: cause.message, ...codeOf(cause) } : null;
    logger.warn({ run: runId, voter: person.id, code: error.code, cause: word }, error.message);
    return { page: failurePage(error), login: null };
  }
}

/** Libraries name what went wrong by a code, and the provider by an error of the standard. */
function codeOf(cause: Error): { readonly code?: string; readonly error?: string } {
  const { code, error } = cause as { code?: unknown; error?: unknown };
  return {
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof error === 'string' ? { error: error.slice(0, 60) } : {}),
  };
}
