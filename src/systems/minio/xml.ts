/** Reads the little XML that S3 answers with: no attributes that matter, no CDATA, no tag inside its own like. */

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Contents of all elements of a name, still encoded. */
export function elementsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map((match) => match[1] ?? '');
}

/** The text of the first element of a name; null where there is none. */
export function textOf(xml: string, name: string): string | null {
  const [content] = elementsOf(xml, name);
  return content === undefined ? null : decodeXml(content);
}

/** All child elements with their texts, whatever their names. */
export function childrenOf(xml: string): [name: string, text: string][] {
  return [...xml.matchAll(/<([^\s<>/]+)>([\s\S]*?)<\/\1>/g)].map((match) => [
    match[1] ?? '',
    decodeXml(match[2] ?? ''),
  ]);
}

export function decodeXml(text: string): string {
  return text.replace(/&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (whole, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith('#')) return String.fromCodePoint(Number.parseInt(name.slice(1), 10));
    return entities[name] ?? whole;
  });
}

export function encodeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** `encoding-type=url` and tag sets: percent signs, and `+` for a space. */
export function decodeUrl(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
