import { createHmac } from 'node:crypto';
import type { Tokens } from '../../blocks/button.ts';
import { isUndoable } from '../plans/plan.ts';
import type { EnvironmentView } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import type { Secret } from '../shared/secret.ts';
import type { ButtonMeaning, Outbox } from './outbox.ts';

/** Makes the opaque tokens of buttons; what each means is stored before it is shown. */
export interface ButtonTokens {
  /** Tokens for the buttons that the run's status allows. */
  ofRun(run: Run): Promise<Tokens>;
  /** One a line of words, which is asked when the button is clicked. */
  ofWords(lines: readonly string[]): Promise<readonly string[]>;
  ofMeaning(meaning: ButtonMeaning): Promise<string>;
  /** One an environment, in their order; `words` is the command without `env:`. */
  ofChoice(words: string, environments: readonly EnvironmentView[]): Promise<readonly string[]>;
}

type RunAction = Exclude<ButtonMeaning['action'], 'environment' | 'ask' | 'boxes'>;

/**
 * The same meaning has the same token, so that editing a message a hundred times stores nothing new. `secret` keeps
 * tokens from being guessed; knowing one proves nothing either, because rights are asked at the click.
 */
export function createButtonTokens(outbox: Pick<Outbox, 'saveButton'>, secret: Secret): ButtonTokens {
  const saved = new Set<string>();

  async function mint(meaning: ButtonMeaning): Promise<string> {
    const content = JSON.stringify([meaning.action, meaning.runId, meaning.digest, meaning.words]);
    const token = createHmac('sha256', secret.reveal()).update(`button ${content}`).digest('base64url').slice(0, 32);
    if (saved.has(token)) return token;
    await outbox.saveButton(token, meaning);
    if (saved.size > 10_000) saved.clear();
    saved.add(token);
    return token;
  }

  return {
    ofMeaning: mint,
    async ofRun(run) {
      const tokens: { [action in RunAction]?: string } = {};
      for (const action of actionsOf(run)) {
        const votes = action === 'approve' || action === 'reject';
        const digest = votes ? (run.control.ballot?.digest ?? run.digest) : null;
        const words = action === 'slower' || action === 'faster' ? String(run.control.pace) : null;
        tokens[action] = await mint({ action, runId: run.id, digest, words });
      }
      return tokens;
    },
    async ofWords(lines) {
      const tokens: string[] = [];
      for (const words of lines) tokens.push(await mint({ action: 'ask', runId: null, digest: null, words }));
      return tokens;
    },
    async ofChoice(words, environments) {
      const tokens: string[] = [];
      for (const { name } of environments) {
        tokens.push(await mint({ action: 'environment', runId: null, digest: null, words: `${words} env:${name}` }));
      }
      return tokens;
    },
  };
}

function actionsOf(run: Run): readonly RunAction[] {
  const undoable = isUndoable(run.plan);
  if (run.status === 'planned') return ['approve', 'reject', 'details', 'samples', 'cancel'];
  if (run.status === 'queued') return ['cancel', 'details'];
  if (run.status === 'running') return ['pause', 'slower', 'faster', 'stop', 'details'];
  if (run.status === 'paused') {
    const begun = run.steps.some(({ state }) => state !== 'waiting');
    const own: readonly RunAction[] = run.control.ballot === null ? ['resume'] : ['approve', 'reject'];
    return [...own, 'stop', ...(undoable && begun ? (['undo'] as const) : []), 'details'];
  }
  if (run.status === 'parked') return ['retry', 'undo', 'keep', 'details'];
  if (run.status !== 'done' || !undoable) return ['details'];
  return run.plan.canary === null ? ['undo', 'details'] : ['continue', 'undo', 'details'];
}
