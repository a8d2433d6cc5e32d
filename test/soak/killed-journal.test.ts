import { describeKilledJournal } from '../unit/audit-log/killed-journal-suite.ts'

describeKilledJournal(50)
