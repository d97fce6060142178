import type { ReactNode } from 'react';
import type { Loose } from '../../scene.ts';
import { isLoose, textOf } from '../loose.ts';
import { isWebAddress } from './mrkdwn.ts';
import { wordsOf } from './mrkdwn-text.tsx';

/** A picture that was uploaded. One from elsewhere is a link here: the page asks nobody but this machine. */
export function Picture({ image, size }: { readonly image: Loose; readonly size: 'small' | 'whole' }): ReactNode {
  const alt = textOf(image.alt_text);
  const title = wordsOf(image.title);
  const source = sourceOf(image);
  const picture = source ? <img src={source} alt={alt} /> : <Elsewhere url={textOf(image.image_url)} alt={alt} />;
  if (size === 'small') return <span className="picture small">{picture}</span>;
  return (
    <figure className="picture whole">
      {title !== '' && <figcaption>{title}</figcaption>}
      {picture}
    </figure>
  );
}

function Elsewhere({ url, alt }: { readonly url: string; readonly alt: string }): ReactNode {
  if (!isWebAddress(url)) return <span>[{alt}]</span>;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer">
      [{alt}]
    </a>
  );
}

/** Null where the file lies outside of the workspace. A file is named by its id, or by an address that holds the id. */
function sourceOf({ slack_file: file }: Loose): string | null {
  if (!isLoose(file)) return null;
  const id = textOf(file.id) || (/\bF0[A-Z0-9]+\b/.exec(textOf(file.url))?.[0] ?? '');
  return /^F[A-Z0-9]+$/.test(id) ? `/files/${id}` : null;
}
