import { type ReactNode, useState } from 'react';
import type { Loose } from '../scene.ts';
import { type Act, type ActAnswer, ask } from './ask.ts';
import { ConfirmWindow } from './confirm-window.tsx';
import { isLoose } from './loose.ts';
import type { Choice, ElementAddress, Surface } from './surface.ts';

export type Target = Extract<Act, { do: 'click' }>['target'];

interface Touched {
  readonly at: ElementAddress;
  readonly choice: Choice;
  /** What stood there when it was chosen: when the app sets something else, that counts. */
  readonly initial: string;
}

/** A surface that acts on one message or view in somebody's name, and the confirm dialog that may stand before it. */
export function useTarget(
  person: string,
  target: Target,
  say: (answer: ActAnswer) => void,
): { readonly surface: Omit<Surface, 'errorOf'>; readonly filled: () => Filled; readonly dialog: ReactNode } {
  const [touched, setTouched] = useState<ReadonlyMap<string, Touched>>(new Map());
  const [asking, setAsking] = useState<{ readonly confirm: Loose; readonly then: () => void } | null>(null);
  const filled = (): Filled =>
    [...touched.values()].map(({ at, choice }) => ({ element: at, choice: mutable(choice) }));
  const put = (at: ElementAddress, element: Loose, choice: Choice): void =>
    setTouched((before) => new Map(before).set(keyOf(at), { at, choice, initial: initialOf(element) }));
  const afterConfirm = (element: Loose, then: () => void): void => {
    if (isLoose(element.confirm)) setAsking({ confirm: element.confirm, then });
    else then();
  };
  const surface = {
    chosen: (at: ElementAddress, element: Loose) => {
      const entry = touched.get(keyOf(at));
      return entry?.initial === initialOf(element) ? entry.choice : undefined;
    },
    put,
    press: (at: ElementAddress, element: Loose) =>
      afterConfirm(
        element,
        () => void ask(person, { do: 'click', target, element: at, filled: inView(filled()) }).then(say),
      ),
    choose: (at: ElementAddress, element: Loose, choice: Choice) =>
      afterConfirm(element, () => {
        if (element.type !== 'overflow') put(at, element, choice);
        const others = filled().filter(({ element: other }) => keyOf(other) !== keyOf(at));
        const act = { do: 'select', target, element: at, choice: mutable(choice), filled: inView(others) } as const;
        void ask(person, act).then(say);
      }),
    suggest: (at: ElementAddress, typed: string) => ask(person, { do: 'suggest', target, element: at, typed }),
  };
  const inView = (entries: Filled): Filled => ('view' in target ? entries : []);
  const dialog = asking && (
    <ConfirmWindow
      confirm={asking.confirm}
      close={(agreed) => {
        setAsking(null);
        if (agreed) asking.then();
      }}
    />
  );
  return { surface, filled, dialog };
}

export type Filled = Extract<Act, { do: 'submit' }>['filled'] & object;

function keyOf({ blockId, actionId }: ElementAddress): string {
  return `${blockId} ${actionId}`;
}

function mutable(choice: Choice): string | string[] {
  return typeof choice === 'string' ? choice : [...choice];
}

function initialOf(element: Loose): string {
  return JSON.stringify(Object.entries(element).filter(([name]) => name.startsWith('initial_')));
}
