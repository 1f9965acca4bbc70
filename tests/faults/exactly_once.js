/*
 * exactly_once.js -- a worker of exactly_once_test.py, with kafkajs: copies the
 * records of one topic to another, each some with their offset in one transaction.
 *
 *	node exactly_once.js NAME PORT SEED COUNTS
 *
 * kafkajs commits offsets without the member and its generation
 * (TxnOffsetCommit 1), so what fences a worker that has lost a partition is its
 * producer's epoch alone: hence a transactional id for each partition that is
 * read, as kafkajs's documentation has it, whoever reads it.
 */
'use strict'

const { appendFileSync } = require('node:fs')
const { Kafka, logLevel } = require('kafkajs')

const [name, port, seed, counts] = process.argv.slice(2)
const IN = 'in', OUT = 'out', GROUP = 'workers'
const BATCH = 200           // records in a transaction, at the most

/* One for each client: of the same object, a consumer takes for committed what a producer has sent in a transaction. */
const kafka = () => new Kafka({ clientId: name, brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING,
	retry: { initialRetryTime: 20, maxRetryTime: 200, retries: Number.MAX_SAFE_INTEGER } })

const count = what => appendFileSync(counts, what)

let state = Number(seed)

/* Uniform in [0, 1), the same for a seed. */
function random() {
	state = (Math.imul(state, 1664525) + 1013904223) >>> 0
	return state / 2 ** 32
}

const admin = kafka().admin()

/* What copies the records of a partition; next: the offset of the first that is not copied. */
class Copier {
	constructor(partition) {
		this.partition = partition
		this.producer = null
		this.next = null
	}

	/* The first transaction of a producer ends those of all before it; then what is committed stays so. */
	async begin() {
		if (this.producer !== null)
			return this.producer.transaction()
		this.producer = kafka().producer({ transactionalId: `copier-${IN}-${this.partition}`, transactionTimeout: 5000,
			idempotent: true, maxInFlightRequests: 1 })
		await this.producer.connect()
		const transaction = await this.producer.transaction()
		const [{ partitions }] = await admin.fetchOffsets({ groupId: GROUP, topics: [IN] })
		this.next = BigInt(partitions.find(p => p.partition === this.partition).offset)
		return transaction
	}

	/* Whether it committed; where it did not, what of it is not copied comes again. */
	async copy(messages) {
		try {
			const transaction = await this.begin()
			const rest = messages.filter(m => BigInt(m.offset) >= this.next)
			if (rest.length === 0) {
				await transaction.abort()
				return true
			}
			const next = BigInt(rest.at(-1).offset) + 1n
			await transaction.send({ topic: OUT, messages: rest.map(m => ({ value: m.value, partition: this.partition })) })
			await transaction.sendOffsets({ consumerGroupId: GROUP, topics: [
				{ topic: IN, partitions: [{ partition: this.partition, offset: String(next) }] }] })
			if (random() < 0.1) {
				await transaction.abort()
				count('a')
				return false
			}
			await transaction.commit()
			this.next = next
			count('c')
			return true
		} catch (error) {
			// Whether it is committed only the next producer learns: of this one kafkajs would take no other call.
			count('r')
			const { producer } = this
			this.producer = null
			await producer.disconnect()
			return false
		}
	}
}

async function main() {
	const copiers = new Map()
	const consumer = kafka().consumer({ groupId: GROUP, sessionTimeout: 1000, heartbeatInterval: 200, maxWaitTimeInMs: 50 })
	consumer.on(consumer.events.CRASH, ({ payload }) => {
		if (!payload.restart)
			process.exit(1)
	})
	await admin.connect()
	await consumer.connect()
	await consumer.subscribe({ topics: [IN] })
	await consumer.run({ autoCommit: false, eachBatchAutoResolve: false,
		eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
			if (!copiers.has(batch.partition))
				copiers.set(batch.partition, new Copier(batch.partition))
			for (let at = 0; at < batch.messages.length && isRunning() && !isStale();) {
				const some = batch.messages.slice(at, at + 1 + Math.floor(random() * BATCH))
				if (!await copiers.get(batch.partition).copy(some))
					return
				resolveOffset(some.at(-1).offset)
				await heartbeat()
				at += some.length
			}
		} })
}

main().catch(error => {
	if (!error.retriable) // as it is while logd is away
		console.error(error)
	process.exit(1)
})
