/** A browser as far as it matters here: it keeps cookies, follows what pages say, and looks like nothing else. */
export interface Browser {
  open(address: string | URL, options?: RequestInit): Promise<Shown>;
  /** Presses the page's button. */
  press(address: string | URL, headers?: Readonly<Record<string, string>>): Promise<Shown>;
}

export interface Shown {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** Where the page goes on by itself; null = nowhere. */
  readonly next: URL | null;
}

/** `reach` says where an address really is: the public one may be somewhere else in a test. */
export function openBrowser(reach: (address: URL) => URL = (address) => address): Browser {
  const cookies = new Map<string, string>();
  const open: Browser['open'] = async (address, options = {}) => {
    const held = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(reach(new URL(address)), {
      redirect: 'manual',
      ...options,
      headers: { ...(held === '' ? {} : { cookie: held }), ...(options.headers as Record<string, string> | undefined) },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/Max-Age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
    const html = await answer.text();
    const next = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(html)?.[1];
    return {
      status: answer.status,
      headers: answer.headers,
      html,
      next: next === undefined ? null : new URL(next.replaceAll('&amp;', '&')),
    };
  };
  return { open, press: (address, headers = {}) => open(address, { method: 'POST', headers }) };
}
