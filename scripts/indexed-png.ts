import { crc32, deflateSync } from 'node:zlib';
import type { BrowserContext } from 'playwright-core';

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Four bytes a pixel, in base64. */
  readonly data: string;
}

/** The same picture with at most 256 colours, a byte a pixel: a page of text is then a third as large. */
export async function indexedPng(context: BrowserContext, png: Buffer): Promise<Buffer> {
  const { width, height, data } = await decode(context, png);
  const pixels = Buffer.from(data, 'base64');
  const palette = choosePalette(pixels);
  const rows = Buffer.alloc((width + 1) * height);
  const known = new Map<number, number>();
  for (let at = 0; at < width * height; at += 1) {
    const colour = pixels.readUInt32BE(at * 4) >>> 8;
    const index = known.get(colour) ?? nearest(palette, colour);
    known.set(colour, index);
    rows[at + Math.floor(at / width) + 1] = index;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const body = deflateSync(rows, { level: 9 });
  return Buffer.concat([signature, chunk('IHDR', head), chunk('PLTE', colours), chunk('IDAT', body), chunk('IEND')]);
}

/** A page of its own decodes it: no other library is needed. */
async function decode(context: BrowserContext, png: Buffer): Promise<Pixels> {
  const page = await context.newPage();
  const script = `(async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    canvas.drawImage(bitmap, 0, 0);
    const { data } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
    let text = '';
    for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
    return { width: bitmap.width, height: bitmap.height, data: btoa(text) };
  })(${JSON.stringify(png.toString('base64'))})`;
  const pixels = await page.evaluate<Pixels>(script);
  await page.close();
  return pixels;
}

/** The most frequent colours, of which none is almost another. */
function choosePalette(pixels: Buffer): number[] {
  const counts = new Map<number, number>();
  for (let at = 0; at < pixels.length; at += 4) {
    const colour = pixels.readUInt32BE(at) >>> 8;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette: number[] = [];
  for (const [colour] of [...counts].sort(([, a], [, b]) => b - a)) {
    if (palette.length === 256) break;
    if (palette.every((other) => distance(other, colour) > 60)) palette.push(colour);
  }
  return palette;
}

function nearest(palette: readonly number[], colour: number): number {
  let best = 0;
  for (let at = 1; at < palette.length; at += 1)
    if (distance(palette[at] ?? 0, colour) < distance(palette[best] ?? 0, colour)) best = at;
  return best;
}

function distance(a: number, b: number): number {
  const [red, green, blue] = [16, 8, 0].map((shift) => ((a >> shift) & 255) - ((b >> shift) & 255));
  return (red ?? 0) ** 2 + (green ?? 0) ** 2 + (blue ?? 0) ** 2;
}

function chunk(type: string, content: Buffer = Buffer.alloc(0)): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}
