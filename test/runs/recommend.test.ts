import type { Advice, ClosedWay, RestoreWay } from '../../src/runs/advice.ts';
import { recommend } from '../../src/runs/recommend.ts';
import { restoreWay, undoWay } from '../sample-advice.ts';

const closed = (code: ClosedWay['code'], message: string): ClosedWay => ({
  open: false,
  code,
  message,
  advice: 'Undo run-2 first.',
});
const oneWay = closed('precondition-failed', 'run-1 cannot be undone: “Drop” is one-way.');

function set(id: string, over: Partial<RestoreWay> = {}, proven = false): RestoreWay {
  const way = restoreWay(over);
  const proof = proven ? { at: '2026-11-20T09:00:00.000Z', seconds: 30 } : null;
  return { ...way, set: { ...way.set, id, proven: proof } };
}

const own = set('bak-own', { loses: 'yes' });
const older = set('bak-older', { own: false, loses: 'yes' });
const proven = set('bak-proven', { own: false, loses: 'yes' }, true);
const harmless = set('bak-harmless', { own: false, loses: 'no' });
const unknown = set('bak-unknown', { loses: 'cannot-tell' });

type Ways = Pick<Advice, 'undo' | 'restores'>;
const undo = (restored: number, kept: number, restores: readonly RestoreWay[] = [own]): Ways => ({
  undo: undoWay({ restored, kept }),
  restores,
});

describe('the way back that is recommended', () => {
  it.each<[string, Ways, string, string | null, RegExp]>([
    ['nothing was changed since', undo(100, 0), 'undo', null, /restores all 100, and leaves what others wrote alone/],
    ['all is as before already', undo(0, 0), 'undo', null, /as it is before|as it was before already/],
    ['a little was changed since', undo(100, 3), 'undo', null, /100 restored, 3 kept/],
    ['half was changed since', undo(50, 50), 'undo', null, /keeps what others wrote/],
    ['most was changed since', undo(10, 90), 'restore', 'bak-own', /LOSES what others wrote since/],
    ['most was changed and no set is there', undo(10, 90, []), 'undo', null, /10 restored, 90 kept/],
    ['it is one-way', { undo: oneWay, restores: [own] }, 'restore', 'bak-own', /one-way.*LOSES/],
    [
      'it is one-way and others may have written',
      { undo: oneWay, restores: [unknown] },
      'restore',
      'bak-unknown',
      /cannot be told/,
    ],
    [
      'it is one-way and nobody wrote',
      { undo: oneWay, restores: [harmless] },
      'restore',
      'bak-harmless',
      /loses nothing/,
    ],
    ['it is one-way and no set is there', { undo: oneWay, restores: [] }, 'none', null, /No backup set/],
    [
      'another run comes first',
      { undo: closed('conflict', 'run-2 changed the same fields.'), restores: [own] },
      'none',
      null,
      /Undo run-2 first/,
    ],
  ])('where %s', (_what, ways, way, setId, reason) => {
    expect(recommend(ways)).toEqual({ way, setId, reason: expect.stringMatching(reason) });
  });

  it.each<[string, readonly RestoreWay[], string]>([
    ['one that loses nothing, before all others', [own, proven, harmless], 'bak-harmless'],
    ["the run's own, before a proven one", [proven, own], 'bak-own'],
    ['a proven one, before a newer one', [older, proven], 'bak-proven'],
    ['the newest, where none is proven', [older, set('bak-oldest', { own: false })], 'bak-older'],
  ])('takes of several sets %s', (_what, restores, id) => {
    expect(recommend({ undo: oneWay, restores }).setId).toBe(id);
  });

  it('never recommends a restore without saying what is lost, nor which runs it rewinds', () => {
    for (const loses of ['yes', 'cannot-tell'] as const) {
      for (const undoing of [oneWay, undoWay({ restored: 1, kept: 9 })]) {
        const rewinding = set('bak-1', { loses, rewinds: ['run-7', 'run-8'] });
        const { way, reason } = recommend({ undo: undoing, restores: [rewinding] });
        expect(way).toBe('restore');
        expect(reason).toMatch(/lose/i);
        expect(reason).toContain('It also rewinds run-7, run-8.');
      }
    }
  });
});
