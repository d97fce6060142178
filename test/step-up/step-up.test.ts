import { request } from 'node:http';
import { jest } from '@jest/globals';
import { Failure } from '../../src/shared/failure.ts';
import { bob } from '../fake-door.ts';
import { samplePlan } from '../sample-run.ts';
import type { Browser } from './browser.ts';
import { publicUrl, type StepUpWorld, startStepUpWorld } from './step-up-world.ts';

jest.setTimeout(30_000);

let world: StepUpWorld;
let browser: Browser;
const isBob = { slack_user_id: bob.id };
const now = (): number => Math.floor(Date.now() / 1000);

beforeEach(async () => {
  world = await startStepUpWorld();
  browser = world.browser();
});
afterEach(() => world.stop());

/** From the link to the provider's answer, as that person. */
async function answerAs(
  claims: Readonly<Record<string, unknown>>,
  { link, forged = false }: { link?: string; forged?: boolean } = {},
): Promise<URL> {
  const begun = await browser.press(link ?? (await world.link()));
  expect(begun.status).toBe(200);
  if (begun.next === null) throw new Error(begun.html);
  return world.provider.logIn(begun.next, claims, forged);
}

const states = (): string[] => world.store.kept.map(({ state }) => state);

describe('an approval that has to be confirmed', () => {
  it('is cast once its voter has logged in, for exactly the plan and with the reason that he gave', async () => {
    const link = await world.link();
    const shown = await browser.open(link);
    expect(shown.status).toBe(200);
    for (const word of ['SANDBOX', 'changes 41,203', 'destroys 0', 'NO UNDO', 'alice', world.run.id])
      expect(shown.html).toContain(word);
    const outcome = await browser.open(await answerAs(isBob, { link }));
    expect(outcome.status).toBe(200);
    expect(outcome.html).toContain('Your approval counts');
    expect(world.door.votesAsked).toEqual([
      {
        runId: world.run.id,
        digest: world.run.digest,
        person: { id: bob.id, name: bob.name, roles: ['approver'], approverSince: null },
        choice: 'approve',
        reason: 'looked at it',
        confirmation: world.store.kept[0]?.id,
      },
    ]);
  });

  it('asks for a new login with state, nonce and PKCE, and for what was configured', async () => {
    const { next } = await browser.press(await world.link());
    const asked = Object.fromEntries(next?.searchParams ?? []);
    expect(asked).toMatchObject({
      response_type: 'code',
      scope: 'openid',
      prompt: 'login',
      max_age: '300',
      code_challenge_method: 'S256',
      redirect_uri: `${publicUrl}/step-up/callback`,
      client_id: 'tas-bot',
    });
    for (const name of ['state', 'nonce', 'code_challenge']) expect(asked[name]).toMatch(/^[\w-]{43}$/);
    expect(asked).not.toHaveProperty('acr_values');
  });

  it('is not touched by whatever previews links: looking changes nothing, as often as it is done', async () => {
    const link = await world.link();
    const before = JSON.stringify(world.store.kept);
    for (const method of ['GET', 'HEAD', 'GET']) await world.browser().open(link, { method });
    expect(JSON.stringify(world.store.kept)).toBe(before);
    expect(world.provider.exchanges).toBe(0);
    expect((await browser.open(await answerAs(isBob, { link }))).html).toContain('Your approval counts');
  });

  it.each([
    ['a wrong nonce', { nonce: 'another' }],
    ['a login from before', { auth_time: now() - 120 }],
    ['an old login', { auth_time: now() - 4_000 }],
    ['no word on when it was', { auth_time: undefined }],
    ['a token for somebody else’s app', { aud: 'another-app' }],
    ['a token of another provider', { iss: 'https://evil.example.com' }],
    ['a token that is over', { exp: now() - 600, iat: now() - 900 }],
  ])('does not count with %s; the link can be tried again', async (_, claims) => {
    const link = await world.link();
    const refused = await browser.open(await answerAs({ ...isBob, ...claims }, { link }));
    expect(refused.status).toBe(403);
    expect(refused.html).toContain('The vote was not counted');
    expect(world.door.votesAsked).toEqual([]);
    expect(states()).toEqual(['open']);
    expect((await browser.open(await answerAs(isBob, { link }))).html).toContain('Your approval counts');
  });

  it('does not count with a token that somebody else has signed', async () => {
    const refused = await browser.open(await answerAs(isBob, { forged: true }));
    expect(refused.status).toBe(403);
    expect(world.door.votesAsked).toEqual([]);
  });

  it.each([
    ['somebody else', { slack_user_id: 'UALICE' }],
    ['somebody without the claim', {}],
    ['somebody with many ids', { slack_user_id: [bob.id, 'UALICE'] }],
  ])('does not count when %s logs in: the voter is told, and that link is over', async (_, claims) => {
    const link = await world.link();
    const refused = await browser.open(await answerAs(claims, { link }));
    expect(refused.status).toBe(403);
    expect(refused.html).toContain('Somebody else logged in');
    expect(refused.html).not.toContain('UALICE');
    expect(world.door.votesAsked).toEqual([]);
    expect(world.notices.all).toMatchObject([{ to: { user: bob.id }, content: { kind: 'line' } }]);
    expect(world.logged.join()).toContain('somebody other than the voter');
    expect((await browser.press(link)).status).toBe(410);
    expect(states()).toEqual(['refused']);
  });

  it('takes the same answer once, and in the browser that began it', async () => {
    const answer = await answerAs(isBob);
    const elsewhere = await world.browser().open(answer);
    expect(elsewhere.status).toBe(400);
    expect(world.door.votesAsked).toEqual([]);
    expect((await browser.open(answer)).status).toBe(200);
    const again = await browser.open(answer);
    expect(again.status).toBe(400);
    expect(world.door.votesAsked).toHaveLength(1);
    expect(world.provider.exchanges).toBe(1);
  });

  it('takes one of two answers that come at the same moment', async () => {
    const answer = await answerAs(isBob);
    const both = await Promise.all([browser.open(answer), browser.open(answer)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(world.door.votesAsked).toHaveLength(1);
  });

  it('does not take the answer to another login, or one whose state was changed', async () => {
    const answer = await answerAs(isBob);
    const changed = new URL(answer);
    changed.searchParams.set('state', 'A'.repeat(43));
    expect((await browser.open(changed)).status).toBe(400);
    const other = world.provider.logIn((await browser.press(await world.link())).next as URL, isBob);
    const mixed = new URL(answer);
    mixed.searchParams.set('code', other.searchParams.get('code') ?? '');
    expect((await browser.open(mixed)).status).toBe(400);
    expect(world.door.votesAsked).toEqual([]);
  });

  it('is over after ten minutes, wherever the browser is by then', async () => {
    const link = await world.link();
    const answer = await answerAs(isBob, { link });
    world.ahead = 601;
    expect((await browser.open(answer)).status).toBe(400);
    expect((await browser.open(link)).html).toContain('This link is over');
    expect((await browser.press(link)).status).toBe(410);
    expect(world.door.votesAsked).toEqual([]);
  });

  it('goes by the newest link, and by each link once', async () => {
    const first = await world.link();
    const second = await world.link();
    expect((await browser.open(first)).html).toContain('There is a newer link');
    await browser.open(await answerAs(isBob, { link: second }));
    expect((await browser.press(second)).status).toBe(410);
    expect(world.door.votesAsked).toHaveLength(1);
  });

  it('is not asked for a plan that was made anew meanwhile, or that is decided', async () => {
    const link = await world.link();
    world.door.change(world.run.id, { digest: 'e'.repeat(64) }, 'voided', null);
    expect((await browser.open(link)).status).toBe(409);
    const begun = await browser.press(link);
    expect(begun.status).toBe(409);
    expect(begun.next).toBeNull();
  });

  it('tells why the door refuses it after all, and is used up', async () => {
    const answer = await answerAs(isBob);
    world.door.change(world.run.id, { digest: 'e'.repeat(64) }, 'voided', null);
    const refused = await browser.open(answer);
    expect(refused.status).toBe(409);
    expect(refused.html).toContain('The plan is another one now.');
    expect(states()).toEqual(['refused']);
  });

  it.each(['away', 'unwell'] as const)('waits while the provider is %s, and says what to do', async (health) => {
    const link = await world.link();
    world.provider.health = health;
    const begun = await browser.press(link);
    expect(begun.status).toBe(503);
    expect(begun.html).toContain('Another approver');
    world.provider.health = 'well';
    const answer = await answerAs(isBob, { link });
    world.provider.health = health;
    const unanswered = await browser.open(answer);
    expect(unanswered.status).toBe(503);
    expect(unanswered.html).toContain('The vote was not counted');
    expect(world.door.votesAsked).toEqual([]);
    world.provider.health = 'well';
    expect((await browser.open(await answerAs(isBob, { link }))).html).toContain('Your approval counts');
  });

  it('waits while nobody can say which roles the voter has', async () => {
    const link = await world.link();
    const ask = world.person;
    world.person = async () => {
      throw new Failure({ code: 'unreachable', message: 'Slack does not say.', advice: 'Try again.' });
    };
    expect((await browser.open(await answerAs(isBob, { link }))).status).toBe(503);
    world.person = ask;
    expect((await browser.open(await answerAs(isBob, { link }))).html).toContain('Your approval counts');
  });

  it('is used up where the bot died between the login and the vote: that vote was not counted, and a new link is', async () => {
    const link = await world.link();
    await world.store.prove(world.store.kept[0]?.id ?? '', new Date());
    const dead = await browser.press(link);
    expect(dead.status).toBe(410);
    expect(dead.html).toContain('The vote was not counted');
    expect((await browser.open(await answerAs(isBob))).html).toContain('Your approval counts');
  });

  it('leaves open what nobody knows: where the vote itself goes wrong, its card tells', async () => {
    const answer = await answerAs(isBob);
    world.door.vote = () => Promise.reject(new Error('the connection to the database is gone'));
    const broken = await browser.open(answer);
    expect(broken.status).toBe(500);
    expect(broken.html).toContain('shows on its card in Slack');
    expect(broken.html).not.toContain('database');
    const id = /this id: ([0-9a-f]{8})/.exec(broken.html)?.[1];
    expect(world.logged.join('\n')).toContain(id);
    for (const secret of answer.searchParams.values()) {
      if (secret !== world.provider.issuer) expect(world.logged.join('\n')).not.toContain(secret);
    }
  });

  it('can be broken off at the provider, and tried again', async () => {
    const link = await world.link();
    const back = new URL((await browser.press(link)).next?.searchParams.get('redirect_uri') ?? '');
    const state = (await browser.press(link)).next?.searchParams.get('state') ?? '';
    back.search = new URLSearchParams({ error: 'access_denied', state, iss: world.provider.issuer }).toString();
    expect((await browser.open(back)).status).toBe(403);
    expect((await browser.open(await answerAs(isBob, { link }))).html).toContain('Your approval counts');
  });
});

describe('the pages', () => {
  it('run no script, show nothing from elsewhere, are not kept and hand no address on', async () => {
    const link = await world.link();
    for (const shown of [await browser.open(link), await browser.press(link), await browser.open(`${publicUrl}/x`)]) {
      const { headers, html } = shown;
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(html).not.toContain('<script');
    }
  });

  it('show data as words', async () => {
    const plan = samplePlan({ title: '<script>alert(1)</script>"\'\u202E&', undoClass: 'one-way' });
    world.door.change(world.run.id, { plan, reason: '<img src=x onerror=alert(1)>' }, 'asked', null);
    const { html } = await browser.open(await world.link());
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39; &amp;');
    expect(html).toContain('&lt;img src=x');
    expect(html).not.toMatch(/<img|<script|\u202E/);
  });

  it('are begun by a button of theirs, not by one of another site', async () => {
    const link = await world.link();
    const foreign = await browser.press(link, { 'sec-fetch-site': 'cross-site' });
    expect(foreign.status).toBe(403);
    expect(foreign.next).toBeNull();
    expect((await browser.press(link, { 'sec-fetch-site': 'same-origin' })).next).not.toBeNull();
  });

  it('know no other address, token or method', async () => {
    const unknown = `${publicUrl}/step-up/${'A'.repeat(43)}`;
    expect((await browser.open(unknown)).status).toBe(404);
    expect((await browser.press(unknown)).status).toBe(404);
    expect((await browser.open(`${publicUrl}/step-up/../../etc`)).status).toBe(404);
    expect((await browser.open(`${publicUrl}/step-up/callback`)).status).toBe(400);
    expect((await browser.press(`${publicUrl}/step-up/callback`)).status).toBe(404);
    expect((await browser.open(await world.link(), { method: 'DELETE' })).status).toBe(405);
    expect((await browser.open(unknown, { headers: { 'x-long': 'x'.repeat(20_000) } })).status).toBe(431);
  });

  it('answer addresses that are none', async () => {
    const status = await new Promise<number | undefined>((done, fail) => {
      const asked = request({ host: '127.0.0.1', port: world.port, path: '//' }, (answer) =>
        done(answer.resume().statusCode),
      );
      asked.on('error', fail).end();
    });
    expect(status).toBe(404);
  });

  it('give cookies that no script reads and other sites’ requests do not carry, and take them back', async () => {
    const begun = await browser.press(await world.link());
    const cookie = begun.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^tas-step-up-[0-9a-f]{16}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/);
    const after = await browser.open(world.provider.logIn(begun.next as URL, isBob));
    expect(after.headers.get('set-cookie')).toContain('Max-Age=0');
  });

  it('bind their cookies to the one host, encrypted, where the bot is reached so', async () => {
    const other = await startStepUpWorld({ publicUrl: 'https://127.0.0.1/tas' });
    try {
      const { pathname } = new URL(await other.link());
      const begun = await fetch(`http://127.0.0.1:${other.port}${pathname}`, { method: 'POST' });
      expect(begun.headers.get('set-cookie')).toMatch(
        /^__Host-tas-step-up-[0-9a-f]{16}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
      );
      await begun.text();
    } finally {
      await other.stop();
    }
  });

  it('leave no token, code or state in the log', async () => {
    const link = await world.link();
    const answer = await answerAs({ ...isBob, nonce: 'another' }, { link });
    await browser.open(answer);
    const log = world.logged.join('\n');
    expect(log).toContain('not-confirmed');
    for (const secret of [link.split('/').at(-1), answer.searchParams.get('code'), answer.searchParams.get('state')])
      expect(log).not.toContain(secret);
    const kept = JSON.stringify(world.store.kept);
    for (const secret of [link.split('/').at(-1), answer.searchParams.get('state')]) expect(kept).not.toContain(secret);
  });
});

describe('which approvals', () => {
  const steps = [
    { effect: 'reads', undoClass: 'one-way' },
    { effect: 'changes', undoClass: 'one-way' },
    { effect: 'destroys', undoClass: 'reversible' },
    { effect: 'adds', undoClass: 'reversible' },
  ] as const;

  it.each([
    ['one-way', [false, true, false, false]],
    ['destroys', [false, true, true, false]],
    ['changes', [false, true, true, true]],
  ] as const)('have to be confirmed follows from %s', async (what, expected) => {
    const other = await startStepUpWorld({ for: what });
    try {
      expect(steps.map((step) => other.stepUp.gate.needs(step))).toEqual(expected);
    } finally {
      await other.stop();
    }
  });
});

describe('a login of a certain kind', () => {
  it('is asked for, and any other does not count', async () => {
    await world.stop();
    world = await startStepUpWorld({ acr: 'security-key' });
    browser = world.browser();
    const link = await world.link();
    expect((await browser.press(link)).next?.searchParams.get('acr_values')).toBe('security-key');
    for (const acr of [undefined, 'password'])
      expect((await browser.open(await answerAs({ ...isBob, acr }, { link }))).status).toBe(403);
    const counted = await browser.open(await answerAs({ ...isBob, acr: 'security-key' }, { link }));
    expect(counted.html).toContain('Your approval counts');
  });
});
