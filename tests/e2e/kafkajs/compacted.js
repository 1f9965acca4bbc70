/*
 * compacted.js -- prints what kafkajs reads of a topic from its beginning to its
 * end, as JSON: [[offset, key, value], ...].
 *
 *	node compacted.js HOST:PORT TOPIC
 */
'use strict'

const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs')
const lz4 = require('lz4js')
const snappy = require('snappyjs')
const { ZstdCodec } = require('zstd-codec')

const [address, topic] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'compacted', brokers: [address], logLevel: logLevel.NOTHING })

/* As kafkajs-snappy has it: raw, or in Java's framing. */
function unsnap(buffer) {
	if (buffer.length < 16 || buffer.toString('latin1', 1, 7) !== 'SNAPPY')
		return Buffer.from(snappy.uncompress(buffer))
	const parts = []
	for (let at = 16, n; at < buffer.length; at += 4 + n) {
		n = buffer.readUInt32BE(at)
		parts.push(Buffer.from(snappy.uncompress(buffer.subarray(at + 4, at + 4 + n))))
	}
	return Buffer.concat(parts)
}

const reads = decompress => () => ({ decompress: async buffer => Buffer.from(decompress(buffer)) })

async function main() {
	CompressionCodecs[CompressionTypes.Snappy] = reads(unsnap)
	CompressionCodecs[CompressionTypes.LZ4] = reads(b => lz4.decompress(b))
	await new Promise(resolve => ZstdCodec.run(library => {
		const zstd = new library.Simple()
		CompressionCodecs[CompressionTypes.ZSTD] = reads(b => zstd.decompress(b))
		resolve()
	}))
	const admin = kafka.admin()
	await admin.connect()
	const end = BigInt((await admin.fetchTopicOffsets(topic))[0].high)
	await admin.disconnect()
	const consumer = kafka.consumer({ groupId: 'compacted', maxWaitTimeInMs: 50 })
	const got = []
	await consumer.connect()
	await consumer.subscribe({ topics: [topic], fromBeginning: true })
	await new Promise(resolve => {
		consumer.run({
			eachBatch: async ({ batch }) => {
				for (const m of batch.messages)
					got.push([Number(m.offset), m.key.toString(), m.value === null ? null : m.value.toString()])
				if (BigInt(batch.lastOffset()) >= end - 1n)
					resolve()
			},
		})
	})
	await consumer.disconnect()
	console.log(JSON.stringify(got))
}

main().catch(error => {
	console.log(error.stack)
	process.exit(1)
})
