/** An instant by the calendar and the clock on somebody's wall. */
export interface CalendarTime {
  readonly year: number
  /** From 1. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** Tells what calendar and clock show at an instant in epoch milliseconds. */
export type Calendar = (epochMs: number) => CalendarTime

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** Calendar and clock of where this program runs. */
export const localCalendar: Calendar = (epochMs) => {
  const date = new Date(epochMs)
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
  }
}

/** When something began: `10:22` today, else `12 Nov`, or `12 Nov 2025`. */
export function dayOrTime(epochMs: number, now: number, calendar: Calendar): string {
  const [time, today] = [calendar(epochMs), calendar(now)]
  return sameDay(time, today) ? minuteText(time) : dayText(time, today)
}

/** A moment to the minute: `10:22` today, else `12 Nov 10:22`. */
export function momentText(epochMs: number, now: number, calendar: Calendar): string {
  const [time, today] = [calendar(epochMs), calendar(now)]
  return `${sameDay(time, today) ? '' : `${dayText(time, today)} `}${minuteText(time)}`
}

/** From one moment to another, to the second where both are in one minute: `10:22–10:31`, `19 Nov 23:50–20 Nov 00:10`. */
export function spanText(from: number, to: number, now: number, calendar: Calendar): string {
  const [start, end, today] = [calendar(from), calendar(to), calendar(now)]
  const sameMinute = sameDay(start, end) && start.hour === end.hour && start.minute === end.minute
  const write = sameMinute ? clockText : minuteText
  const startDay = sameDay(start, today) && sameDay(start, end) ? '' : `${dayText(start, today)} `
  const endDay = sameDay(start, end) ? '' : `${dayText(end, today)} `
  return `${startDay}${write(start)}–${endDay}${write(end)}`
}

/** A moment in full: `2026-11-21 10:22:05`. */
export function fullText(epochMs: number, calendar: Calendar): string {
  const time = calendar(epochMs)
  return `${time.year}-${two(time.month)}-${two(time.day)} ${clockText(time)}`
}

/** The time of a day to the second: `10:22:05`. */
export function clockText({ hour, minute, second }: CalendarTime): string {
  return `${two(hour)}:${two(minute)}:${two(second)}`
}

function sameDay(a: CalendarTime, b: CalendarTime): boolean {
  return a.year === b.year && a.month === b.month && a.day === b.day
}

function dayText({ day, month, year }: CalendarTime, today: CalendarTime): string {
  return `${day} ${MONTHS[month - 1] ?? '?'}${year === today.year ? '' : ` ${year}`}`
}

function minuteText({ hour, minute }: CalendarTime): string {
  return `${two(hour)}:${two(minute)}`
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
