/** Adds a line to `faults` for everything that is wrong with the value; `at` is its JSON pointer. */
export type Rule = (value: unknown, at: string, faults: string[]) => void;

export type Fields = Readonly<Record<string, unknown>>;

/** In the words and the form of Slack's own messages. */
export function fault(text: string, at: string): string {
  return `${text} [json-pointer:${at}]`;
}

export function isObject(value: unknown): value is Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** A string of `least` to `most` UTF-16 units. */
export function string(most: number, least = 1): Rule {
  return (value, at, faults) => {
    if (typeof value !== 'string') faults.push(fault('must provide a string', at));
    else if (value.length > most) faults.push(fault(`must be less than ${most + 1} characters`, at));
    else if (value.length < least) faults.push(fault(`must be more than ${least - 1} characters`, at));
  };
}

export function matching(pattern: RegExp, what: string): Rule {
  return (value, at, faults) => {
    if (typeof value !== 'string' || !pattern.test(value)) faults.push(fault(`must be a valid ${what}`, at));
  };
}

export function webAddress(most: number): Rule {
  return (value, at, faults) => {
    string(most)(value, at, faults);
    if (typeof value === 'string' && !URL.canParse(value)) faults.push(fault('must be a valid URL', at));
  };
}

export function whole(least: number, most: number): Rule {
  return (value, at, faults) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) faults.push(fault('must provide a number', at));
    else if (value < least || value > most) faults.push(fault(`must be between ${least} and ${most}`, at));
  };
}

export const flag: Rule = (value, at, faults) => {
  if (typeof value !== 'boolean') faults.push(fault('must provide a boolean', at));
};

export const anything: Rule = () => undefined;

export function among(...allowed: readonly string[]): Rule {
  return (value, at, faults) => {
    if (!allowed.includes(value as string)) faults.push(fault(`must be one of: ${allowed.join(', ')}`, at));
  };
}

export function list(item: Rule, most: number, least = 1): Rule {
  return (value, at, faults) => {
    if (!Array.isArray(value)) return void faults.push(fault('must provide an array', at));
    if (value.length > most) faults.push(fault(`no more than ${most} items allowed`, at));
    if (value.length < least) faults.push(fault(`no less than ${least} items allowed`, at));
    value.forEach((entry, index) => {
      item(entry, `${at}/${index}`, faults);
    });
  };
}

/** An object with these properties and no others; `also` looks at it as a whole. */
export function shape(
  required: Readonly<Record<string, Rule>>,
  optional: Readonly<Record<string, Rule>>,
  also?: Rule,
): Rule {
  return (value, at, faults) => {
    if (!isObject(value)) return void faults.push(fault('must provide an object', at));
    for (const name of Object.keys(required)) {
      if (value[name] === undefined) faults.push(fault(`missing required field: ${name}`, at));
    }
    for (const [name, entry] of Object.entries(value)) {
      const rule = Object.hasOwn(required, name)
        ? required[name]
        : Object.hasOwn(optional, name)
          ? optional[name]
          : null;
      if (rule === null) faults.push(fault(`invalid additional property: ${name}`, at));
      else if (entry !== undefined) rule?.(entry, `${at}/${name}`, faults);
    }
    also?.(value, at, faults);
  };
}

/** Chooses the rule by the property `type`. */
export function byType(kinds: Readonly<Record<string, Rule>>): Rule {
  return (value, at, faults) => {
    if (!isObject(value)) return void faults.push(fault('must provide an object', at));
    const type = value.type;
    if (typeof type !== 'string') return void faults.push(fault('missing required field: type', at));
    if (!Object.hasOwn(kinds, type)) return void faults.push(fault(`unsupported type: ${type}`, `${at}/type`));
    kinds[type]?.(value, at, faults);
  };
}
