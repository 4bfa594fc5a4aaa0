// Times and numbers as people read them, in the language of the window.

import { language, t } from './i18n.svelte';

/** `14:02`, or with the date when it is not today. */
export function moment(iso: string, now = Date.now()): string {
  const date = new Date(iso);
  const today = new Date(now).toDateString() === date.toDateString();
  return new Intl.DateTimeFormat(
    language.current,
    today
      ? { hour: '2-digit', minute: '2-digit', hour12: false }
      : { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false },
  ).format(date);
}

/** `14:02:11`, or with the date when it is not today: what people compare line by line. */
export function clock(iso: string, now = Date.now()): string {
  const date = new Date(iso);
  const today = new Date(now).toDateString() === date.toDateString();
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false } as const;
  return new Intl.DateTimeFormat(language.current, today ? time : { day: 'numeric', month: 'short', ...time }).format(date);
}

/** `12 Jan 2027`. */
export function day(iso: string): string {
  return new Intl.DateTimeFormat(language.current, { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(iso));
}

/** `January 2027`. */
export function month(iso: string): string {
  return new Intl.DateTimeFormat(language.current, { month: 'long', year: 'numeric' }).format(new Date(iso));
}

/** `12 seconds ago`, `in 3 days`. */
export function relative(iso: string, now = Date.now()): string {
  const seconds = Math.round((new Date(iso).getTime() - now) / 1000);
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ];
  const format = new Intl.RelativeTimeFormat(language.current, { numeric: 'auto' });
  for (const [unit, size] of steps) if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
  return Math.abs(seconds) < 5 ? t('time.now') : format.format(seconds, 'second');
}

/** `1.2 MB`. */
export function bytes(count: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
  if (count < 1000) return `${count} B`;
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(language.current, {
    style: 'unit',
    unit: units[unit],
    unitDisplay: 'short',
    maximumFractionDigits: unit === 0 ? 0 : 1,
  }).format(value);
}

/** `41 ms`, `3.2 s`, `12 min`, `5 h`. */
export function duration(ms: number): string {
  const show = (value: number, unit: string, digits = 0) =>
    new Intl.NumberFormat(language.current, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits }).format(value);
  if (ms < 1000) return show(ms, 'millisecond');
  if (ms < 60_000) return show(ms / 1000, 'second', 1);
  if (ms < 3_600_000) return show(ms / 60_000, 'minute');
  return show(ms / 3_600_000, 'hour', 1);
}
