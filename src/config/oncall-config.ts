import { z } from 'zod';
import { pageReasons } from '../oncall/page.ts';
import { secretRef } from './system-config.ts';

const host = z.string().regex(/^[a-z0-9.-]+(:\d{1,5})?$/i, 'a host name, with a port where it is not 443');

const pagerDuty = z.strictObject({
  /** Integration key of the service (Events API v2) that is paged. */
  routingKey: secretRef,
  /** Other services for single environments. */
  routingKeys: z.record(z.string(), secretRef).default({}),
  /** A read-only REST API key: who is on call, and who took a page up; absent = only pages. */
  token: secretRef.optional(),
  /** Ids; empty = all that the token may see. */
  schedules: z.array(z.string()).default([]),
  escalationPolicies: z.array(z.string()).default([]),
  apiServer: host.default('api.pagerduty.com'),
  eventsServer: host.default('events.pagerduty.com'),
  /** A file with the certificate of an own authority (a proxy that looks into TLS); absent = those that Node trusts. */
  ca: z.string().optional(),
});

const contact = z.strictObject({
  name: z.string().min(1).max(80),
  /** What he is there for. */
  role: z.string().min(1).max(100),
  /** Slack user id. */
  user: z
    .string()
    .regex(/^[UW][A-Z0-9]+$/)
    .optional(),
  phone: z
    .string()
    .regex(/^[+0-9 ()/-]{3,40}$/)
    .optional(),
  /** Absent = of all environments. */
  environments: z.array(z.string()).optional(),
});

const role = z.enum(['viewer', 'operator', 'approver']);

/** Who is called, and for what. */
export const onCallConfig = z
  .strictObject({
    /** Absent = the contacts are called in Slack. */
    pagerduty: pagerDuty.optional(),
    contacts: z.array(contact).max(100).default([]),
    /** What somebody is called for. */
    pages: z.array(z.enum(pageReasons)).default([...pageReasons]),
    /** Who sees phones. */
    phoneFor: z.array(role).default(['operator', 'approver']),
    /** After a run that changed something: how long it is watched, and by which checks beside health and error budget. */
    bake: z
      .strictObject({
        minutes: z.number().int().min(0).max(1440).default(30),
        checks: z.array(z.string()).max(20).default([]),
      })
      .default({ minutes: 30, checks: [] }),
  })
  .default({
    contacts: [],
    pages: [...pageReasons],
    phoneFor: ['operator', 'approver'],
    bake: { minutes: 30, checks: [] },
  });
