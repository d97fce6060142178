import type { Advice, Recommendation, RestoreWay } from './advice.ts';

const number = new Intl.NumberFormat('en-US');

/**
 * The way back to take. Undo, as long as it is open and restores most of what the run wrote; a restore where the run is
 * one-way or most of it was changed since. What others wrote is never given up in silence: the reason says so.
 */
export function recommend({ undo, restores }: Pick<Advice, 'undo' | 'restores'>): Recommendation {
  const set = bestSet(restores);
  if (!undo.open) {
    // Another run's undo comes first: a restore would take that run away as well.
    if (undo.code === 'conflict') return { way: 'none', setId: null, reason: `${undo.message} ${undo.advice}` };
    if (set === null)
      return { way: 'none', setId: null, reason: `${undo.message} No backup set from before it is there.` };
    return { way: 'restore', setId: set.set.id, reason: `${undo.message} ${sayLoss(set)}` };
  }
  const { restored, kept } = undo;
  if (kept === 0) {
    const all =
      restored === 0 ? 'Everything is as it was before already' : `Undo restores all ${number.format(restored)}`;
    return { way: 'undo', setId: null, reason: `${all}, and leaves what others wrote alone.` };
  }
  const split = `${number.format(restored)} restored, ${number.format(kept)} kept because of what came since`;
  if (kept <= restored || set === null) {
    return { way: 'undo', setId: null, reason: `Undo keeps what others wrote: ${split}.` };
  }
  return {
    way: 'restore',
    setId: set.set.id,
    reason: `Most of it was changed since, so undo does little (${split}). ${sayLoss(set)}`,
  };
}

/** A set that provably loses nothing, else the run's own, else a proven one, else the newest. */
function bestSet(restores: readonly RestoreWay[]): RestoreWay | null {
  return (
    restores.find(({ loses }) => loses === 'no') ??
    restores.find(({ own }) => own) ??
    restores.find(({ set }) => set.proven !== null) ??
    restores[0] ??
    null
  );
}

function sayLoss({ set, loses, rewinds }: RestoreWay): string {
  const others = rewinds.length === 0 ? '' : ` It also rewinds ${rewinds.slice(0, 3).join(', ')}.`;
  const what = {
    no: `Restoring ${set.id} loses nothing that others wrote.`,
    yes: `Restoring ${set.id} LOSES what others wrote since, as listed.`,
    'cannot-tell': `Restoring ${set.id} loses whatever others wrote since, which cannot be told from here.`,
  }[loses];
  return `${what}${others}`;
}
