import { describeKilledJournal } from './killed-journal-suite.ts'

describeKilledJournal(3)
