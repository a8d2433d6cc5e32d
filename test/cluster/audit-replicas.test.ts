import { describeAuditReplicas } from './audit-replicas-suite.ts'

describeAuditReplicas(20_000)
