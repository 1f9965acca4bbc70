/*
 * kafkajs_test.js -- @kafkajs/confluent-schema-registry, unmodified: registering, encoding,
 * decoding, and what it makes of refusals.
 *
 *	node kafkajs_test.js URL FOLDER
 *
 * FOLDER: see ../registry_values.py.
 */
'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const { SchemaRegistry, SchemaType, COMPATIBILITY } = require('@kafkajs/confluent-schema-registry')
const { refused, run } = require('./run.js')

const [host, folder] = process.argv.slice(2)
const registry = () => new SchemaRegistry({ host, retry: { retries: 0 } })
const schema = more => JSON.stringify({ type: 'record', name: 'Event', namespace: 'js', fields: [{ name: 'id', type: 'long' },
	...more] })

run({
	async registers_and_finds_again() {
		const { id } = await registry().register({ type: SchemaType.AVRO, schema: schema([]) }, { subject: 'js-value' })

		assert.equal((await registry().register({ type: SchemaType.AVRO, schema: schema([]) }, { subject: 'js-value' })).id, id)
		assert.equal(await registry().getLatestSchemaId('js-value'), id)
		assert.equal(await registry().getRegistryId('js-value', 1), id)
		assert.equal(await registry().getRegistryIdBySchema('js-value', { type: SchemaType.AVRO, schema: schema([]) }), id)
	},

	async values_come_back_through_another_client() {
		const { id } = await registry().register({ type: SchemaType.AVRO, schema: schema([]) }, { subject: 'js-value' })
		const bytes = await registry().encode(id, { id: 7 })

		assert.equal(bytes.readUInt8(0), 0)
		assert.equal(bytes.readInt32BE(1), id)
		assert.equal((await registry().decode(bytes)).id, 7)
	},

	async versions_are_resolved() {
		const old = await registry().register({ type: SchemaType.AVRO, schema: schema([]) }, { subject: 'js-value' })
		const text = schema([{ name: 'note', type: 'string', default: 'none' }])
		const { id } = await registry().register({ type: SchemaType.AVRO, schema: text }, { subject: 'js-value' })
		const bytes = await registry().encode(old.id, { id: 8 })
		const reader = JSON.parse(text)

		assert.notEqual(id, old.id)
		assert.deepEqual({ ...await registry().decode(bytes, { AVRO: { readerSchema: reader } }) }, { id: 8, note: 'none' })
	},

	async incompatible_schemas_are_refused() {
		await refused('the schema', registry().register({ type: SchemaType.AVRO, schema: schema([{ name: 'x', type: 'int' }]) },
			{ subject: 'js-value' }), 409, 'incompatible')
	},

	async compatibility_is_set_for_a_new_subject() {
		await registry().register({ type: SchemaType.AVRO, schema: schema([]) }, { subject: 'js-full',
			compatibility: COMPATIBILITY.FULL })
		await refused('another compatibility', registry().register({ type: SchemaType.AVRO, schema: schema([]) },
			{ subject: 'js-full', compatibility: COMPATIBILITY.NONE }).then(() => { throw { status: 0, message: '' } },
			e => { throw { status: 0, message: e.message } }), 0, 'does not match')
	},

	async references_are_followed() {
		const inner = JSON.stringify({ type: 'record', name: 'Inner', namespace: 'js', fields: [{ name: 'n', type: 'int' }] })
		const outer = JSON.stringify({ type: 'record', name: 'Outer', namespace: 'js', fields: [{ name: 'inner', type: 'js.Inner' }] })

		await registry().register({ type: SchemaType.AVRO, schema: inner }, { subject: 'js-inner' })
		const { id } = await registry().register({ type: SchemaType.AVRO, schema: outer,
			references: [{ name: 'js.Inner', subject: 'js-inner', version: 1 }] }, { subject: 'js-outer' })
		const decoded = await registry().decode(await registry().encode(id, { inner: { n: 3 } }))

		assert.equal(decoded.inner.n, 3)
	},

	async what_is_not_there_is_refused() {
		await refused('an id', registry().decode(Buffer.from([0, 0, 1, 0, 0, 2])), 404, 'Schema 65536 not found')
		await refused('a subject', registry().getLatestSchemaId('js-none'), 404, "Subject 'js-none' not found.")
	},

	async values_are_shared() {
		const schema = fs.readFileSync(`${folder}/event.avsc`, 'utf8')
		const given = fs.readFileSync(`${folder}/python.avro`)
		const { id } = await registry().register({ type: SchemaType.AVRO, schema }, { subject: 'shared-value' })

		assert.equal((await registry().decode(given)).note, 'by python')
		assert.equal(id, given.readInt32BE(1))
		fs.writeFileSync(`${folder}/kafkajs.avro`, await registry().encode(id, { id: 2, note: 'by kafkajs' }))
	},
})
