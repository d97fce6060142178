import type { PersonName } from '../slack/people.ts';
import { renderMessage } from '../slack/render.ts';
import type { Message, SimulatedSlack } from '../slack/slack.ts';
import { answersTo } from './answers.ts';
import { differences, type Picture, type Stores } from './stores.ts';
import type { Transcript } from './transcript.ts';

export interface Stage {
  readonly slack: SimulatedSlack;
  readonly stores: Stores;
  readonly transcript: Transcript;
}

const channel = 'tas-platform';
/** A run on the demo's data takes seconds; a machine that builds something at the same time may need longer. */
const patience = 180_000;

/** The whole story in order. Answers how many of its claims did not hold. */
export async function playStory(stage: Stage): Promise<number> {
  let broken = 0;
  const claim = (text: string, holds: boolean, detail?: string): void => {
    if (!holds) broken += 1;
    stage.transcript.claim(text, holds, detail);
  };
  const before = await stage.stores.picture();
  await backUp(stage, claim);
  await validate(stage, 'carol', false, claim);
  const migration = await migrate(stage, claim);
  await checkMigrated(stage, claim);
  await validate(stage, 'carol', true, claim);
  const writes = await usersWrite(stage);
  await rollBack(stage, migration, claim);
  await checkRolledBack(stage, before, writes, claim);
  return broken;
}

type Claim = (text: string, holds: boolean, detail?: string) => void;

async function backUp(stage: Stage, claim: Claim): Promise<void> {
  stage.transcript.heading('A backup of every store, as one set');
  await command(stage, 'alice', '/tas backup env:sandbox');
  const done = await post(stage, 'the backup to be done', /backup made/);
  claim(
    'the backup set is under one manifest with all three systems',
    /objects/.test(done) && /graph/.test(done) && /relational/.test(done),
    done,
  );
}

async function validate(stage: Stage, who: PersonName, good: boolean, claim: Claim): Promise<void> {
  stage.transcript.heading(good ? 'Validation again: everything is in its place' : 'Validation shows what is wrong');
  const known = stage.slack.messages(channel).length;
  await command(stage, who, '/tas validate env:sandbox');
  const report = await post(stage, 'the validation report', /All users have unique tenant_id values/, known);
  const failed = [...report.matchAll(/^✗/gm)].length;
  const passed = [...report.matchAll(/^✓/gm)].length;
  if (good) claim('no rule fails any more', failed === 0 && passed >= 5, report);
  else claim('the rules of space isolation fail, with counts', failed >= 3, report);
}

async function migrate(stage: Stage, claim: Claim): Promise<string> {
  const { slack, transcript } = stage;
  transcript.heading('A migration: asked for by one, approved by another');
  await command(stage, 'mallory', '/tas migrate space-isolation env:sandbox');
  claim(
    'mallory, who has no role, may not ask',
    /may not/i.test(lastShown(stage, 'mallory')),
    lastShown(stage, 'mallory'),
  );
  const known = slack.messages(channel).length;
  await command(stage, 'alice', '/tas migrate space-isolation env:sandbox reason:"a tenant for everybody"');
  const card = await message(stage, 'the approval card', /Approval wanted/, known);
  const runId = runIdOf(card);
  await click(stage, 'alice', card, 'Approve');
  await slack.waitFor(
    "the refusal of alice's own vote",
    () => /cannot approve/.test(lastShown(stage, 'alice')),
    patience,
  );
  claim("the requester's own approval is refused", /cannot approve/.test(lastShown(stage, 'alice')));
  await click(stage, 'bob', card, 'Approve');
  await post(stage, 'the migration to be done', /^✓ Done: SANDBOX · space-isolation/m, known);
  return runId;
}

async function checkMigrated({ stores, transcript }: Stage, claim: Claim): Promise<void> {
  transcript.heading('What the stores say, asked directly');
  const [users] = await stores.cypher(
    `MATCH (u:User) RETURN count(*) AS users, count(DISTINCT u.personal_tenant_id) AS tenants,
       count(CASE WHEN substring(u.personal_space_id, 6) = substring(u.personal_tenant_id, 7) THEN 1 END) AS pairs`,
  );
  const numbers = Object.fromEntries(Object.entries(users ?? {}).map(([name, value]) => [name, Number(value)]));
  claim(
    `Neo4j: ${numbers.users} users have ${numbers.users} different tenants, each with the space of the same digits`,
    numbers.users === numbers.tenants && numbers.users === numbers.pairs,
    JSON.stringify(numbers),
  );
  const [unfiled] = await stores.cypher(
    'MATCH (n:Notebook|Document) WHERE n.tenant_id IS NULL OR n.space_id IS NULL RETURN count(*) AS records',
  );
  claim('Neo4j: every notebook and document is filed under a tenant and a space', Number(unfiled?.records) === 0);
  const [files] = await stores.sql(
    `select count(*)::int as files, count(f.space_id)::int as filed, count(s.id)::int as known
       from audimodal_files f left join spaces s on s.id = f.space_id`,
  );
  claim(
    `PostgreSQL: all ${files?.files} files have a space that exists, under a validated foreign key`,
    files?.files === files?.filed && files?.files === files?.known && (await hasForeignKey(stores)),
    JSON.stringify(files),
  );
}

async function hasForeignKey(stores: Stores): Promise<boolean> {
  const rows = await stores.sql(
    `select convalidated from pg_constraint where contype = 'f' and conrelid = 'audimodal_files'::regclass and confrelid = 'spaces'::regclass`,
  );
  return rows.some((row) => row.convalidated === true);
}

interface Writes {
  readonly moved: string;
  readonly renamed: string;
  readonly made: string;
  readonly owner: string;
  readonly tenant: string;
  readonly space: string;
}

/** What users do while the new model is in use: one moves a migrated document, one renames a notebook, one makes a new one. */
async function usersWrite({ stores, transcript }: Stage): Promise<Writes> {
  transcript.heading('Users go on working');
  const [target] = await stores.cypher(
    `MATCH (u:User) WHERE u.personal_tenant_id =~ 'tenant_[0-9]{10}' RETURN u.personal_tenant_id AS tenant, u.personal_space_id AS space ORDER BY u.id LIMIT 1`,
  );
  const migrated = `MATCH (n:Document)-[:OWNED_BY]->(u:User) WHERE u.personal_tenant_id =~ 'tenant_[0-9]{16}'`;
  const [document] = await stores.cypher(
    `${migrated} WITH n ORDER BY n.id LIMIT 1 SET n.tenant_id = $tenant, n.space_id = $space RETURN n.id AS id`,
    { tenant: target?.tenant, space: target?.space },
  );
  transcript.note(`somebody moves document ${document?.id} into the space ${target?.space}`);
  const [notebook] = await stores.cypher(
    `MATCH (n:Notebook)-[:OWNED_BY]->(u:User) WHERE u.personal_tenant_id =~ 'tenant_[0-9]{16}'
     WITH n ORDER BY n.id LIMIT 1 SET n.name = 'Renamed after the migration' RETURN n.id AS id`,
  );
  transcript.note(`somebody renames notebook ${notebook?.id}, which the migration did not touch in its name`);
  const [made] = await stores.cypher(
    `MATCH (u:User) WHERE u.personal_tenant_id =~ 'tenant_[0-9]{16}' WITH u ORDER BY u.id DESC LIMIT 1
     CREATE (n:Notebook {id: randomUUID(), name: 'Made in the new tenant', owner_id: u.id, status: 'active',
       tenant_id: u.personal_tenant_id, space_id: u.personal_space_id, created_at: datetime()})-[:OWNED_BY]->(u)
     RETURN n.id AS id, u.id AS owner, u.personal_tenant_id AS tenant, u.personal_space_id AS space`,
  );
  transcript.note(`user ${made?.owner} makes a notebook in the new tenant ${made?.tenant}`);
  return {
    moved: String(document?.id),
    renamed: String(notebook?.id),
    made: String(made?.id),
    owner: String(made?.owner),
    tenant: String(made?.tenant),
    space: String(made?.space),
  };
}

async function rollBack(stage: Stage, runId: string, claim: Claim): Promise<void> {
  stage.transcript.heading('Rollback: what users wrote since stays');
  const known = stage.slack.messages(channel).length;
  await command(stage, 'erin', `/tas rollback ${runId} env:sandbox`);
  const erin = stage.slack.as('erin');
  const advice = await stage.slack.waitFor(
    'the ways back',
    () => erin.ephemerals().find(({ text }) => text.startsWith('Ways back')),
    patience,
  );
  const ways = renderMessage(advice);
  claim(
    'before one is asked for, each way back is shown with what it keeps and what it would lose; the undo is recommended',
    /Recommended: undo/.test(ways) && /because somebody changed it since/.test(ways) && /Restore/.test(ways),
    ways,
  );
  await click(stage, 'erin', advice, 'Undo');
  const card = await message(stage, 'the approval card of the rollback', /Approval wanted/, known);
  await click(stage, 'dana', card, 'Approve');
  const report = await post(stage, 'the rollback to be done', /^✓ Undone/m, known);
  claim(
    'the report names what was kept, with the reason',
    /somebody changed it since/.test(report) && /newer records refer to it/.test(report),
    report,
  );
}

async function checkRolledBack(
  { stores, transcript }: Stage,
  before: Picture,
  writes: Writes,
  claim: Claim,
): Promise<void> {
  transcript.heading('The stores again, compared record by record with the start');
  const found = differences(before, await stores.picture());
  const expected = expectedDifferences(before, writes);
  const lost = expected.filter((line) => !found.includes(line));
  const unexpected = found.filter((line) => !expected.includes(line));
  claim(
    `nothing that users wrote since is lost (${expected.length} differences expected, all there)`,
    lost.length === 0,
    lost.slice(0, 8).join('\n      '),
  );
  claim(
    'everything else is as it was before the migration',
    unexpected.length === 0,
    unexpected.slice(0, 12).join('\n      '),
  );
  claim('the foreign key is gone', !(await hasForeignKey(stores).catch(() => false)));
}

/** What must differ from the start, and nothing else: the three writes, and what the new notebook refers to. */
function expectedDifferences(before: Picture, { moved, renamed, made, owner, space }: Writes): string[] {
  const hadCopy = before.has(`users/${owner}`);
  return [
    `Document/${moved}.space_id`,
    `Document/${moved}.tenant_id`,
    `Notebook/${renamed}.name`,
    `Notebook/${made}: added`,
    `(OWNED_BY)/${made} → ${owner}: added`,
    `User/${owner}.personal_space_id`,
    `User/${owner}.personal_tenant_id`,
    `Space/${space}: added`,
    `(OWNS)/${owner} → ${space}: added`,
    ...(hadCopy
      ? [`users/${owner}.personal_space_id`, `users/${owner}.personal_tenant_id`]
      : [`users/${owner}: added`]),
    `spaces/${space}: added`,
  ].sort();
}

async function command({ slack, transcript }: Stage, who: PersonName, text: string): Promise<void> {
  transcript.act(who, text);
  const shown = answersTo(slack, who).length;
  const messages = slack.messages(channel).length;
  const { status, ms } = await slack.as(who).command(text, { channel });
  if (status !== 200) throw new Error(`${text} was not acknowledged: ${status} after ${ms} ms`);
  await slack.waitFor(
    `an answer to ${text}`,
    () => answersTo(slack, who).length > shown || slack.messages(channel).length > messages,
    patience,
  );
  for (const message of answersTo(slack, who).slice(shown)) transcript.shown(who, message);
}

async function click({ slack, transcript }: Stage, who: PersonName, card: Message, button: string): Promise<void> {
  transcript.act(who, `clicks [${button}]`);
  const shown = answersTo(slack, who).length;
  await slack.as(who).click(card, button);
  await slack.waitFor(
    `an answer to ${who}'s click`,
    () => answersTo(slack, who).length > shown || card.edits.length > 0,
    patience,
  );
  for (const message of answersTo(slack, who).slice(shown)) transcript.shown(who, message);
}

function lastShown({ slack }: Stage, who: PersonName): string {
  const last = answersTo(slack, who).at(-1);
  return last ? renderMessage(last) : '';
}

/** Waits for a message of the channel whose text or blocks say it; `from` = only messages after this many. */
async function message({ slack }: Stage, what: string, says: RegExp, from = 0): Promise<Message> {
  return slack.waitFor(
    what,
    () => {
      const failure = slack
        .messages(channel)
        .slice(from)
        .find(({ text }) => /^(Failed|Stopped|Voided)/.test(text));
      if (failure) throw new Error(`while waiting for ${what}: ${renderMessage(failure)}`);
      return slack
        .messages(channel)
        .slice(from)
        .find((candidate) => says.test(candidate.text) || says.test(renderMessage(candidate)));
    },
    patience,
  );
}

async function post(stage: Stage, what: string, says: RegExp, from = 0): Promise<string> {
  return renderMessage(await message(stage, what, says, from));
}

function runIdOf(card: Message): string {
  const id = /run-[0-9a-z]{10}/.exec(renderMessage(card))?.[0];
  if (!id) throw new Error('the card names no run');
  return id;
}
