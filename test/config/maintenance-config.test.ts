import { maintenanceConfig } from '../../src/config/maintenance-config.ts';
import { onCallConfig } from '../../src/config/oncall-config.ts';

const problems = (schema: typeof maintenanceConfig | typeof onCallConfig, value: unknown): string =>
  schema
    .safeParse(value)
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    .join('\n') ?? 'none';

describe('maintenance in the configuration', () => {
  it('is as usual where nothing is said', () => {
    expect(maintenanceConfig.parse(undefined)).toEqual({});
    expect(maintenanceConfig.parse({ production: {} }).production).toMatchObject({
      channels: [],
      before: ['24h', '1h', '10m'],
      zone: 'UTC',
      askAhead: '24h',
      words: { started: expect.stringContaining('{to}') },
    });
  });

  it('takes words of its own, and the usual ones for the rest', () => {
    const { words } =
      maintenanceConfig.parse({ production: { words: { ended: 'Back: {environment}' } } }).production ?? {};
    expect(words).toMatchObject({ ended: 'Back: {environment}', late: expect.stringContaining('{to}') });
  });

  it.each([
    ['{until}', /until stands for nothing; there are \{environment\} \{from\} \{to\}/],
    ['{from', /a single brace/],
    ['from} to', /a single brace/],
    ['{}', /stands for nothing/],
    ['', /./],
    ['x'.repeat(1001), /./],
  ])('refuses the words %s', (text, message) => {
    expect(problems(maintenanceConfig, { production: { words: { started: text } } })).toMatch(message);
  });

  it.each([
    ['no address at all', /https/],
    ['http://status.example.org/hook', /https/],
    ['http://127.0.0.1.example.org/hook', /https/],
    ['http://10.0.0.1/hook', /https/],
    ['https://user:word@status.example.org/hook', /without user/],
    ['ftp://status.example.org/hook', /https/],
  ])('refuses the status page %s', (url, message) => {
    const statusPage = { url, header: { name: 'Authorization', value: 'env:STATUS' } };
    expect(problems(maintenanceConfig, { production: { statusPage } })).toMatch(message);
  });

  it('takes a status page over TLS, or on this machine, with its secret named and not written', () => {
    const header = { name: 'Authorization', value: 'env:STATUS' };
    for (const url of ['https://status.example.org/hook', 'http://127.0.0.1:8080/hook', 'http://localhost/hook']) {
      expect(problems(maintenanceConfig, { production: { statusPage: { url, header } } })).toBe('none');
    }
    const written = { url: 'https://x.org', header: { name: 'Authorization', value: 'Bearer 123' } };
    expect(problems(maintenanceConfig, { production: { statusPage: written } })).toMatch(/never the secret itself/);
  });

  it.each([
    [{ zone: 'Mars/Olympus' }, /time zone/],
    [{ before: ['soon'] }, /90s, 5m or 2h/],
    [{ word: {} }, /word/],
    [{ words: { begin: 'x' } }, /begin/],
  ])('refuses %o', (settings, message) => {
    expect(problems(maintenanceConfig, { production: settings })).toMatch(message);
  });
});

describe('on-call in the configuration', () => {
  it('pages for everything and watches for half an hour where nothing is said', () => {
    expect(onCallConfig.parse(undefined)).toMatchObject({
      contacts: [],
      pages: expect.arrayContaining(['run-failed', 'run-lost', 'backup-missed', 'window-late']),
      phoneFor: ['operator', 'approver'],
      bake: { minutes: 30, checks: [] },
    });
    expect(onCallConfig.parse({ contacts: [] })).toEqual(onCallConfig.parse(undefined));
  });

  it.each([
    [{ pages: ['lunch'] }, /pages/],
    [{ pagerduty: { routingKey: 'R0123456789' } }, /never the secret itself/],
    [{ pagerduty: { routingKey: 'env:PD', eventsServer: 'https://events.pagerduty.com' } }, /host name/],
    [{ contacts: [{ name: 'x', role: 'y', user: '@dora' }] }, /user/],
    [{ contacts: [{ name: 'x', role: 'y', phone: 'call me' }] }, /phone/],
    [{ bake: { minutes: -1 } }, /minutes/],
  ])('refuses %o', (settings, message) => {
    expect(problems(onCallConfig, settings)).toMatch(message);
  });
});
