import { describeAuditReplicas } from '../cluster/audit-replicas-suite.ts'

describeAuditReplicas(60_000)
