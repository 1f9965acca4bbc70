/*
 * kafkajs_test.js -- kafkajs, unmodified: producing with every codec, consuming,
 * balancing a group, administering.
 *
 *	node kafkajs_test.js HOST:PORT
 *
 * gzip is kafkajs's own; snappy, LZ4 and zstd are what kafkajs calls custom
 * codecs, made here from libraries without native parts.
 */
'use strict'

const assert = require('node:assert/strict')
const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, logLevel } = require('kafkajs')
const lz4 = require('lz4js')
const snappy = require('snappyjs')
const { ZstdCodec } = require('zstd-codec')

const address = process.argv[2]
const kafka = new Kafka({ clientId: 'kafkajs-test', brokers: [address], logLevel: logLevel.NOTHING,
	retry: { initialRetryTime: 50, retries: 3 } })
const admin = kafka.admin()

const codec = (compress, decompress) => () => ({
	compress: async encoder => Buffer.from(compress(encoder.buffer)),
	decompress: async buffer => Buffer.from(decompress(buffer)),
})

function installCodecs() {
	CompressionCodecs[CompressionTypes.Snappy] = codec(b => snappy.compress(b), b => snappy.uncompress(b))
	CompressionCodecs[CompressionTypes.LZ4] = codec(b => lz4.compress(b), b => lz4.decompress(b))
	return new Promise(resolve => ZstdCodec.run(library => {
		const zstd = new library.Simple()
		CompressionCodecs[CompressionTypes.ZSTD] = codec(b => zstd.compress(b, 3), b => zstd.decompress(b))
		resolve()
	}))
}

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/* Waits until condition() is true; throws where it doesn't become so. */
async function until(what, condition, seconds = 30) {
	for (const end = Date.now() + seconds * 1000; !await condition(); await sleep(20))
		assert(Date.now() < end, `not within ${seconds} s: ${what}`)
}

/* work() must fail with an error of this type, be it one of several. */
async function refused(type, work) {
	await assert.rejects(work, error => {
		const types = [error.type, error.cause?.type, ...(error.errors || []).map(e => e.type),
			...(error.groups || []).map(g => g.error.type)]
		assert(types.includes(type), `refused with ${types}: ${error.message}, not with ${type}`)
		return true
	})
}

const create = (topic, numPartitions = 1, configEntries = []) =>
	admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] })

async function send(topic, messages, options = {}, settings = {}) {
	const producer = kafka.producer(settings)
	await producer.connect()
	try {
		return await producer.send({ topic, messages, ...options })
	} finally {
		await producer.disconnect()
	}
}

/* A consumer of a group, with what it has been assigned and what it has read. */
class Member {
	constructor(groupId, topic, settings = {}) {
		this.topic = topic
		this.assigned = []
		this.records = []
		this.consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 200,
			maxWaitTimeInMs: 50, ...settings })
		this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
			this.assigned = payload.memberAssignment[topic] || []
		})
		this.consumer.on(this.consumer.events.REBALANCING, () => { this.assigned = [] })
	}

	async start(options = {}) {
		await this.consumer.connect()
		await this.consumer.subscribe({ topic: this.topic, fromBeginning: true })
		await this.consumer.run({ ...options, eachMessage: async ({ partition, message }) => {
			this.records.push({ partition, ...message })
		} })
		return this
	}

	leave() {
		return this.consumer.disconnect()
	}
}

/* The first so many records of a topic. */
async function read(topic, count) {
	const member = await new Member(`reader of ${topic}`, topic).start()
	await until(`${count} records of ${topic}`, () => member.records.length >= count)
	await member.leave()
	return member.records
}

const texts = records => records.map(r => r.value.toString())
const numbers = (from, to) => Array.from({ length: to - from }, (_, i) => String(from + i))

/* Whether the members have all the partitions among them, and each some. */
function balanced(members, partitions) {
	const all = members.flatMap(m => m.assigned).sort()
	return members.every(m => m.assigned.length > 0) && all.join() === [...Array(partitions).keys()].join()
}

const tests = {
	async every_codec_is_taken_and_given_back() {
		await installCodecs()
		for (const [name, compression] of Object.entries(CompressionTypes)) {
			const values = numbers(0, 500).map(i => `${name} ${i} `.repeat(5))
			await create(`codec-${name}`)
			const [where] = await send(`codec-${name}`, values.map(value => ({ value })), { compression, acks: -1 })
			assert.equal(where.baseOffset, '0')
			assert.deepEqual(texts(await read(`codec-${name}`, 500)), values)
		}
	},

	async every_acks_is_stored() {
		for (const acks of [0, 1, -1]) {
			await create(`acks${acks}`)
			await send(`acks${acks}`, numbers(0, 100).map(value => ({ value })), { acks })
			assert.deepEqual(texts(await read(`acks${acks}`, 100)), numbers(0, 100))
		}
	},

	async keys_headers_times_and_nulls_come_back() {
		await create('shape')
		await send('shape', [{ key: 'k', value: null, headers: { a: '1', b: ['2', '3'] }, timestamp: '1500000000123' },
			{ value: 'v' }])
		const [first, second] = await read('shape', 2)
		assert.deepEqual([first.key.toString(), first.value, first.timestamp], ['k', null, '1500000000123'])
		assert.deepEqual([first.headers.a, first.headers.b].flat().map(String), ['1', '2', '3'])
		assert.deepEqual([second.key, second.value.toString(), second.headers], [null, 'v', {}])
	},

	async an_idempotent_producer_is_served() {
		await create('once')
		const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
		await producer.connect()
		for (let i = 0; i < 20; i++)
			await producer.send({ topic: 'once', messages: numbers(i * 10, i * 10 + 10).map(value => ({ value })) })
		await producer.disconnect()
		assert.deepEqual(texts(await read('once', 200)), numbers(0, 200))
	},

	async too_large_a_record_is_refused() {
		await create('small', 1, [{ name: 'max.message.bytes', value: '2000' }])
		await refused('MESSAGE_TOO_LARGE', () => send('small', [{ value: 'x'.repeat(5000) }]))
		assert.equal((await send('small', [{ value: 'fits' }]))[0].baseOffset, '0')
	},

	async reading_goes_where_it_is_told() {
		await create('where')
		await send('where', numbers(0, 100).map((value, i) => ({ value, timestamp: String(1000000 + i * 10) })))
		assert.deepEqual(await admin.fetchTopicOffsets('where'), [{ partition: 0, offset: '100', high: '100', low: '0' }])
		assert.deepEqual(await admin.fetchTopicOffsetsByTimestamp('where', 1000495), [{ partition: 0, offset: '50' }])
		const member = await new Member('where', 'where').start()
		await until('all is read', () => member.records.length === 100)
		member.consumer.pause([{ topic: 'where' }])
		member.consumer.seek({ topic: 'where', partition: 0, offset: '90' })
		await sleep(200)
		assert.equal(member.records.length, 100)
		member.consumer.resume([{ topic: 'where' }])
		await until('its end is read again', () => member.records.length === 110)
		assert.deepEqual(texts(member.records.slice(100)), numbers(90, 100))
		await member.leave()
	},

	async a_group_of_three_comes_and_goes() {
		await create('grouped', 6)
		let sent = 0
		const put = async () => {
			await send('grouped', numbers(sent, sent + 300).map(value => ({ key: value, value })))
			sent += 300
		}
		const a = await new Member('g', 'grouped').start()
		await until('one has all', () => balanced([a], 6))
		await put()
		const [b, c] = await Promise.all([new Member('g', 'grouped').start(), new Member('g', 'grouped').start()])
		await until('three share', () => balanced([a, b, c], 6))
		await put()
		await until('each reads of its own', () => [a, b, c].every(m => m.records.length > 0))
		await a.leave()
		await until('two share', () => balanced([b, c], 6))
		const d = await new Member('g', 'grouped').start()
		await until('three share again', () => balanced([b, c, d], 6))
		await put()
		const read = () => new Set([a, b, c, d].flatMap(m => texts(m.records)))
		await until('all is read', () => read().size === sent)
		const { groups: [group] } = await admin.describeGroups(['g'])
		assert.deepEqual([group.state, group.protocolType, group.members.length], ['Stable', 'consumer', 3])
		assert.equal(group.members[0].clientHost, '/127.0.0.1')
		await refused('NON_EMPTY_GROUP', () => admin.deleteGroups(['g']))
		await Promise.all([b, c, d].map(m => m.leave()))
	},

	async a_group_goes_on_where_it_was() {
		await send('grouped', [{ value: 'the only new one', partition: 2 }])
		const member = await new Member('g', 'grouped').start()
		await until('the new one is read', () => member.records.length > 0)
		assert.deepEqual(texts(member.records), ['the only new one'])
		await member.leave()
	},

	async offsets_are_shown_set_and_reset() {
		const offset = async groupId =>
			(await admin.fetchOffsets({ groupId, topics: ['where'] }))[0].partitions[0].offset
		assert.equal(await offset('o'), '-1')
		// Either takes the 5 s for which kafkajs's inner consumer waits.
		await Promise.all([
			admin.setOffsets({ groupId: 'o', topic: 'where', partitions: [{ partition: 0, offset: '42' }] }),
			admin.resetOffsets({ groupId: 'p', topic: 'where', earliest: true }),
		])
		assert.deepEqual([await offset('o'), await offset('p')], ['42', '-2']) // -2: the earliest, to kafkajs
		for (const [group, first] of [['o', '42'], ['p', '0']]) {
			const member = await new Member(group, 'where').start()
			await until('it has read', () => member.records.length > 0)
			assert.equal(member.records[0].offset, first)
			await member.leave()
		}
	},

	async groups_are_listed_and_deleted() {
		const ids = async () => (await admin.listGroups()).groups.map(g => g.groupId)
		assert((await ids()).includes('g') && (await ids()).includes('o'))
		await admin.deleteGroups(['g', 'o'])
		assert(!(await ids()).includes('g') && !(await ids()).includes('o'))
		await refused('GROUP_ID_NOT_FOUND', () => admin.deleteGroups(['g']))
	},

	async topics_are_made_grown_and_deleted() {
		const partitions = async () => (await admin.fetchTopicMetadata({ topics: ['made'] })).topics[0].partitions.length
		assert.equal(await create('made', 3), true)
		assert.equal(await partitions(), 3)
		assert.equal(await create('made', 3), false) // kafkajs's word for one that is there
		await refused('INVALID_TOPIC_EXCEPTION', () => create('not/a name'))
		await admin.createTopics({ validateOnly: true, waitForLeaders: false,
			topics: [{ topic: 'only', numPartitions: 1, replicationFactor: 1 }] })
		await admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 5 }] })
		assert.equal(await partitions(), 5)
		await refused('INVALID_PARTITIONS', () => admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 2 }] }))
		await admin.deleteTopics({ topics: ['made'] })
		const left = await admin.listTopics()
		assert(!left.includes('made') && !left.includes('only') && left.includes('where'))
		await refused('UNKNOWN_TOPIC_OR_PARTITION', () => admin.deleteTopics({ topics: ['made'] }))
	},

	async records_are_deleted() {
		await admin.deleteTopicRecords({ topic: 'where', partitions: [{ partition: 0, offset: '60' }] })
		const [{ low, high }] = await admin.fetchTopicOffsets('where')
		assert.deepEqual([low, high], ['60', '100'])
	},

	async settings_are_shown_and_changed() {
		const type = ConfigResourceTypes.TOPIC
		const shown = async name => (await admin.describeConfigs({ includeSynonyms: false,
			resources: [{ type, name: 'where', configNames: [name] }] })).resources[0].configEntries[0].configValue
		const change = (name, value) => admin.alterConfigs({ validateOnly: false,
			resources: [{ type, name: 'where', configEntries: [{ name, value }] }] })
		assert.equal(await shown('cleanup.policy'), 'delete')
		await change('cleanup.policy', 'compact')
		assert.equal(await shown('cleanup.policy'), 'compact')
		await refused('INVALID_CONFIG', () => change('cleanup.policy', 'burn'))
	},

	async the_cluster_is_described() {
		const { brokers, controller, clusterId } = await admin.describeCluster()
		assert.deepEqual(brokers.map(b => `${b.host}:${b.port}`), [address])
		assert.equal(controller, brokers[0].nodeId)
		assert(clusterId)
	},
}

async function main() {
	let passed = 0, failed = 0
	await admin.connect()
	for (const [name, test] of Object.entries(tests)) {
		const began = Date.now()
		try {
			await test()
			passed++
			console.log(`ok ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
		} catch (error) {
			failed++
			console.log(`FAIL: ${name}\n  | ${String(error.stack).replaceAll('\n', '\n  | ')}`)
		}
	}
	console.log(`${passed} passed, ${failed} failed`)
	process.exit(failed ? 1 : 0)
}

main()
