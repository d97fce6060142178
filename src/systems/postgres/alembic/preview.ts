import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import type { StepContext, StepPreview } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import { inTheWay, withoutLook } from '../schema-kind.ts';
import type { AlembicStep } from './alembic-step.ts';
import { type Way, wayOf } from './carry-out.ts';
import { lookAtOffline, type OfflineLook, type OfflineSql, offlineSql } from './offline.ts';
import { readRevision } from './revision.ts';

/** What alembic would run on its way from one revision to another, judged and linted; it writes nothing. */
export async function previewWay(
  setting: KindSetting,
  step: AlembicStep,
  ran: 'forth' | 'back',
  context: StepContext,
): Promise<StepPreview> {
  const read = { readOnly: true, statementTimeout: 60_000 };
  const way = wayOf(ran, step);
  const current = await setting.database.transact(read, (session) => readRevision(session, step.versionTable));
  const misplaced = current === way.start ? [] : [standsAt(step, way, current)];
  let forth: OfflineSql;
  let back: OfflineSql;
  try {
    forth = await offline(setting, step, way, context.signal);
    back = await offline(setting, step, wayOf(ran === 'forth' ? 'back' : 'forth', step), context.signal);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'precondition-failed') throw error;
    const finding = inTheWay('alembic-runs', error.message.replace(/\.$/, ''), error.advice);
    return { ...withoutLook, effect: 'destroys', undoClass: 'one-way', findings: [...misplaced, finding] };
  }
  const refused = [...new Set([forth.why, back.why])].filter((why) => why.startsWith('FAILED:'));
  return setting.database.transact(read, async (session) => {
    const look = await lookAtOffline(session, step, forth, way.direction);
    const way2 = ran === 'forth' ? 'downgrade' : 'upgrade';
    const lookBack = await lookAtOffline(session, step, back, way2);
    const unknown = look.moves ? refused : [`${way.direction} ${way.start}:${way.target} does nothing`];
    const undoable =
      back.sql !== null && (lookBack.statements.length > 0 || (forth.sql !== null && look.statements.length === 0));
    return {
      count: 1,
      exact: true,
      keysHash: digestOf([way.start, way.target, look.hash]),
      schemaHash: digestOf([current, step.versionTable]),
      samples: [],
      undoClass: undoable ? 'reversible' : 'one-way',
      locks: look.locks,
      bytes: 1_000_000,
      // It writes its own table at least.
      effect: look.effect === 'reads' ? 'changes' : look.effect,
      findings: [
        ...misplaced,
        ...(unknown.length > 0 && misplaced.length === 0 ? [notKnown(unknown)] : []),
        ...look.findings,
        ...(undoable ? losses(ran, lookBack) : [noWayBack(way2, back)]),
      ],
    };
  });
}

function offline(setting: KindSetting, step: AlembicStep, way: Way, signal: AbortSignal): Promise<OfflineSql> {
  return offlineSql(setting, step, way.direction, [way.start, way.target], signal);
}

function standsAt({ versionTable }: AlembicStep, { start, target }: Way, current: string): Finding {
  const what = current === target ? `${current} already` : current;
  return inTheWay(
    'revision-stands',
    `${versionTable} says ${what}; the step starts from ${start}`,
    'Correct the revisions in the migration, or bring the database to where it starts.',
    [current],
  );
}

function notKnown(samples: readonly string[]): Finding {
  return inTheWay(
    'revisions-known',
    'alembic knows no way between these revisions',
    'Are the revisions in this folder the ones of the version that is deployed?',
    samples,
  );
}

function noWayBack(direction: string, { sql, why }: OfflineSql): Finding {
  return {
    check: 'undo-said',
    title: `There is no ${direction} on this way: it cannot be undone`,
    status: 'warning',
    count: 1,
    samples: sql === null && why !== '' ? [why] : [],
    advice: 'Write its downgrade in the service; else what takes it back is a backup set.',
  };
}

/** What the way back drops is lost with what others write into it until then. */
function losses(ran: 'forth' | 'back', { effect, statements }: OfflineLook): Finding[] {
  if (ran === 'back' || effect !== 'destroys') return [];
  return [
    {
      check: 'conflicts-unknown',
      title: 'Its downgrade destroys, and cannot tell what others wrote since',
      status: 'warning',
      count: statements.length,
      samples: [],
      advice: 'Undo it only while what it adds is not in use.',
    },
  ];
}
