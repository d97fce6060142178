import { type ReactNode, useEffect } from 'react';
import type { ViewEntry } from '../scene.ts';
import { type ActAnswer, ask } from './ask.ts';
import { BlockList } from './blocks/block-list.tsx';
import { listOf } from './loose.ts';
import { SurfaceProvider } from './surface.ts';
import { useKeptFocus } from './use-kept-focus.ts';
import { useTarget } from './use-target.tsx';

interface HomeProps {
  readonly person: string;
  /** Null until the app has published one. */
  readonly home: ViewEntry | null;
  readonly say: (answer: ActAnswer) => void;
}

/** The app's Home tab. Opening it tells the app, which may then publish what stands here. */
export function HomePane({ person, home, say }: HomeProps): ReactNode {
  useEffect(() => void ask(person, { do: 'home' }), [person]);
  const pane = useKeptFocus();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className="messages home" tabIndex={0} aria-label="Home" ref={pane}>
      {home ? (
        <HomeBlocks person={person} home={home} say={say} key={home.id} />
      ) : (
        <p className="quiet empty">This is a work in progress: the app shows nothing here yet.</p>
      )}
    </section>
  );
}

function HomeBlocks({ person, home, say }: HomeProps & { readonly home: ViewEntry }): ReactNode {
  const { surface, dialog } = useTarget(person, { view: home.id }, say);
  return (
    <SurfaceProvider value={{ ...surface, errorOf: () => null }}>
      <BlockList blocks={listOf(home.view.blocks)} />
      {dialog}
    </SurfaceProvider>
  );
}
