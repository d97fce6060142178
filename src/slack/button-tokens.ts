import { createHmac } from 'node:crypto';
import type { Tokens } from '../../blocks/button.ts';
import type { EnvironmentView } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import type { Secret } from '../shared/secret.ts';
import type { ButtonMeaning, Outbox } from './outbox.ts';

/** Makes the opaque tokens of buttons; what each means is stored before it is shown. */
export interface ButtonTokens {
  /** Tokens for the buttons that the run's status allows. */
  ofRun(run: Run): Promise<Tokens>;
  /** One an environment, in their order; `words` is the command without `env:`. */
  ofChoice(words: string, environments: readonly EnvironmentView[]): Promise<readonly string[]>;
}

type RunAction = Exclude<ButtonMeaning['action'], 'environment'>;

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
    async ofRun(run) {
      const tokens: { [action in RunAction]?: string } = {};
      for (const action of actionsOf(run)) {
        const digest = action === 'approve' || action === 'reject' ? run.digest : null;
        tokens[action] = await mint({ action, runId: run.id, digest, words: null });
      }
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
  if (run.status === 'planned') return ['approve', 'reject', 'details'];
  if (run.status === 'parked') return ['retry', 'undo', 'keep', 'details'];
  const undoable = run.plan.action === 'migrate' || run.plan.action === 'rollback';
  return run.status === 'done' && undoable ? ['undo', 'details'] : ['details'];
}
