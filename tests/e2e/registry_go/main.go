// main.go -- franz-go's client of schema registries (pkg/sr), unmodified, with hamba/avro for the values.
//
//	main URL FOLDER
//
// FOLDER: see ../registry_values.py.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"
)

const (
	note  = `,{"name":"note","type":"string","default":""}`
	other = `,{"name":"x","type":"int"}`
)

var (
	client *sr.Client
	folder string
	ctx    = context.Background()
)

// ---- what is asserted ----

func same[T comparable](what string, got, wanted T) {
	if got != wanted {
		panic(fmt.Sprintf("%s: got %v, wanted %v", what, got, wanted))
	}
}

func sameAll[T comparable](what string, got []T, wanted ...T) {
	if !slices.Equal(got, wanted) {
		panic(fmt.Sprintf("%s: got %v, wanted %v", what, got, wanted))
	}
}

// must returns what a call answered that may not fail.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func refused(what string, err error, status, code int, text string) {
	var answer *sr.ResponseError
	if !errors.As(err, &answer) {
		panic(fmt.Sprintf("%s: got %v", what, err))
	}
	same(what+": status", answer.StatusCode, status)
	same(what+": code", answer.ErrorCode, code)
	if !strings.Contains(answer.Message, text) {
		panic(fmt.Sprintf("%s: %s", what, answer.Message))
	}
}

// ---- what is asked ----

func with(params ...sr.Param) context.Context {
	return sr.WithParams(ctx, params...)
}

func event(more string) sr.Schema {
	return sr.Schema{Schema: `{"type":"record","name":"Event","namespace":"go","fields":[{"name":"id","type":"long"}` + more + `]}`}
}

func registersAndFinds() {
	made := must(client.CreateSchema(ctx, "go-value", event("")))

	same("subject", made.Subject, "go-value")
	same("version", made.Version, 1)
	same("id", must(client.RegisterSchema(ctx, "go-value", event(""), -1, -1)), made.ID)
	same("text", must(client.SchemaByID(ctx, made.ID)).Schema, event("").Schema)
	same("raw text", must(client.SchemaTextByID(ctx, made.ID)), event("").Schema)
	same("raw text of the version", must(client.SchemaTextByVersion(ctx, "go-value", 1)), event("").Schema)
	same("text by guid", must(client.SchemaByGUID(ctx, made.GUID)).Schema.Schema, event("").Schema)
	same("ids by guid", must(client.SchemaIDsByGUID(ctx, made.GUID))[0].ID, made.ID)
	same("look-up", must(client.LookupSchema(ctx, "go-value", event(""))).ID, made.ID)
	same("newest", must(client.SchemaByVersion(ctx, "go-value", -1)).GUID, made.GUID)
	sameAll("versions", must(client.SubjectVersions(ctx, "go-value")), 1)
	sameAll("subjects of the id", must(client.SubjectsByID(ctx, made.ID)), "go-value")
	same("version of the id", must(client.SchemaVersionsByID(ctx, made.ID))[0].Subject, "go-value")
	sameAll("subjects", must(client.Subjects(with(sr.SubjectPrefix("go-")))), "go-value")
	same("all schemas", len(must(client.AllSchemas(with(sr.SubjectPrefix("go-"), sr.LatestOnly)))), 1)
	sameAll("types", must(client.SupportedTypes(ctx)), sr.TypeAvro)
}

func whatIsNotThereIsRefused() {
	_, err := client.SchemaByID(ctx, 99999)
	refused("an id", err, 404, 40403, "Schema 99999 not found")
	_, err = client.SchemaByVersion(ctx, "no/such", -1)
	refused("a subject", err, 404, 40401, "Subject 'no/such' not found.")
	_, err = client.SchemaByVersion(ctx, "go-value", 9)
	refused("a version", err, 404, 40402, "Version 9 not found.")
	_, err = client.LookupSchema(ctx, "go-value", event(other))
	refused("a schema", err, 404, 40403, "Schema not found")
	_, err = client.RegisterSchema(ctx, "go-value", sr.Schema{Schema: "{"}, -1, -1)
	refused("no schema", err, 422, 42201, "Invalid schema")
	_, err = client.RegisterSchema(ctx, "go-import", event(""), 500, 1)
	refused("another id", err, 422, 42205, "is not in import mode")
}

func referencesAreFollowed() {
	must(client.CreateSchema(ctx, "go-kind", sr.Schema{Schema: `{"type":"enum","name":"go.Kind","symbols":["A"]}`}))
	outer := event(`,{"name":"kind","type":"go.Kind"}`)
	outer.References = []sr.SchemaReference{{Name: "go.Kind", Subject: "go-kind", Version: 1}}
	made := must(client.CreateSchema(ctx, "go-outer", outer))

	sameAll("references", made.References, outer.References...)
	same("referenced by", must(client.SchemaReferences(ctx, "go-kind", 1))[0].ID, made.ID)
	resolved := must(client.SchemaTextByVersion(with(sr.Format("resolved")), "go-outer", 1))
	same("whole text", strings.Contains(resolved, `"symbols":["A"]`), true)
	_, err := client.DeleteSubject(ctx, "go-kind", sr.SoftDelete)
	refused("what is in use", err, 422, 42206, "One or more references exist")
}

func compatibilityIsAskedFor() {
	must(client.CreateSchema(ctx, "go-compat", event("")))
	for _, version := range []int{-2, -1, 1} {
		same("compatible", must(client.CheckCompatibility(ctx, "go-compat", version, event(note))).Is, true)
		answer := must(client.CheckCompatibility(with(sr.Verbose, sr.Normalize), "go-compat", version, event(other)))
		same("incompatible", answer.Is, false)
		same("reason", strings.Contains(answer.Messages[0], "READER_FIELD_MISSING_DEFAULT_VALUE"), true)
	}
	_, err := client.CreateSchema(ctx, "go-compat", event(other))
	refused("an incompatible schema", err, 409, 409, "incompatible with an earlier schema")
}

func configurationIsSetAndTakenAway() {
	owner := &sr.SchemaMetadata{Properties: map[string]string{"owner": "team"}}
	set := client.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFull, Group: "major", DefaultMetadata: owner}, "go-config")[0]

	must(set, set.Err)
	told := client.Compatibility(ctx, "go-config")[0]
	same("level", must(told, told.Err).Level, sr.CompatFull)
	same("group", told.Group, "major")
	same("metadata", told.DefaultMetadata.Properties["owner"], "team")
	made := must(client.CreateSchema(ctx, "go-config", event("")))
	same("metadata of the schema", made.SchemaMetadata.Properties["owner"], "team")
	reset := client.ResetCompatibility(ctx, "go-config")[0]
	must(reset, reset.Err)
	refused("a config that is gone", client.Compatibility(ctx, "go-config")[0].Err, 404, 40408, "does not have subject-level compatibility")
	same("global level", client.Compatibility(with(sr.DefaultToGlobal), "go-config")[0].Level, sr.CompatBackward)
}

func modesAreSetAndObeyed() {
	same("mode", client.Mode(ctx)[0].Mode, sr.ModeReadWrite)
	set := client.SetMode(ctx, sr.ModeReadOnly, "go-mode")[0]
	same("mode set", must(set, set.Err).Mode, sr.ModeReadOnly)
	_, err := client.CreateSchema(ctx, "go-mode", event(""))
	refused("a write", err, 422, 42205, "is in read-only mode")
	reset := client.ResetMode(ctx, "go-mode")[0]
	must(reset, reset.Err)
	refused("a mode that is gone", client.Mode(ctx, "go-mode")[0].Err, 404, 40409, "does not have subject-level mode")
	set = client.SetMode(ctx, sr.ModeImport, "go-import")[0]
	must(set, set.Err)
	imported := must(client.CreateSchemaWithIDAndVersion(ctx, "go-import", event(note+other), 70000, 7))
	same("id", imported.ID, 70000)
	same("version", imported.Version, 7)
}

func versionsAndSubjectsAreDeleted() {
	for _, text := range []string{`"int"`, `"long"`, `"double"`} {
		must(client.RegisterSchema(ctx, "go-gone", sr.Schema{Schema: text}, -1, -1))
	}
	must(0, client.DeleteSchema(ctx, "go-gone", 1, sr.SoftDelete))
	sameAll("versions left", must(client.SubjectVersions(ctx, "go-gone")), 2, 3)
	sameAll("versions with those deleted", must(client.SubjectVersions(with(sr.ShowDeleted), "go-gone")), 1, 2, 3)
	sameAll("only those", must(client.SubjectVersions(with(sr.DeletedOnly), "go-gone")), 1)
	must(0, client.DeleteSchema(ctx, "go-gone", 1, sr.HardDelete))
	_, err := client.DeleteSubject(ctx, "go-gone", sr.HardDelete)
	refused("a live subject", err, 404, 40405, "was not deleted first")
	sameAll("subject", must(client.DeleteSubject(ctx, "go-gone", sr.SoftDelete)), 2, 3)
	sameAll("only deleted subjects", must(client.Subjects(with(sr.DeletedOnly, sr.SubjectPrefix("go-")))), "go-gone")
	sameAll("subject, for good", must(client.DeleteSubject(ctx, "go-gone", sr.HardDelete)), 2, 3)
	_, err = client.SubjectVersions(ctx, "go-gone")
	refused("a subject that is gone", err, 404, 40401, "Subject 'go-gone' not found.")
}

func listsHavePages() {
	for _, subject := range []string{"page-1", "page-2", "page-3"} {
		must(client.CreateSchema(ctx, subject, event(note)))
	}
	sameAll("a page", must(client.Subjects(with(sr.SubjectPrefix("page-"), sr.Offset(1), sr.Limit(1)))), "page-2")
}

func contextsKeepApart() {
	inside := sr.InContext(ctx, ".go")
	made := must(client.RegisterSchema(inside, "here", event(note), -1, -1))

	sameAll("subjects", must(client.Subjects(inside)), ":.go:here")
	same("text", must(client.SchemaByID(inside, made)).Schema, event(note).Schema)
	same("contexts", slices.Contains(must(client.Contexts(ctx)), ".go"), true)
	refused("a context with subjects", client.DeleteContext(ctx, ".go"), 422, 42211, "is not empty")
	must(client.DeleteSubject(inside, "here", sr.SoftDelete))
	must(client.DeleteSubject(inside, "here", sr.HardDelete))
	must(0, client.DeleteContext(ctx, ".go"))
	same("contexts left", slices.Contains(must(client.Contexts(ctx)), ".go"), false)
}

type shared struct {
	ID   int64  `avro:"id"`
	Note string `avro:"note"`
}

func valuesAreShared() {
	text := must(os.ReadFile(filepath.Join(folder, "event.avsc")))
	given := must(os.ReadFile(filepath.Join(folder, "python.avro")))
	id := must(client.RegisterSchema(ctx, "shared-value", sr.Schema{Schema: string(text)}, -1, -1))
	schema := must(avro.Parse(must(client.SchemaTextByID(ctx, id))))
	serde := sr.NewSerde()
	serde.Register(id, shared{},
		sr.EncodeFn(func(value any) ([]byte, error) { return avro.Marshal(schema, value) }),
		sr.DecodeFn(func(data []byte, value any) error { return avro.Unmarshal(schema, data, value) }))

	var value shared
	must(0, serde.Decode(given, &value))
	same("note", value.Note, "by python")
	must(0, os.WriteFile(filepath.Join(folder, "go.avro"), must(serde.Encode(shared{6, "by go"})), 0o666))
}

// ---- all of them ----

func run(test func()) (problem any) {
	defer func() { problem = recover() }()
	test()
	return nil
}

func main() {
	client = must(sr.NewClient(sr.URLs(os.Args[1])))
	folder = os.Args[2]
	passed, failed := 0, 0
	for _, test := range []struct {
		name string
		run  func()
	}{
		{"registers_and_finds", registersAndFinds},
		{"what_is_not_there_is_refused", whatIsNotThereIsRefused},
		{"references_are_followed", referencesAreFollowed},
		{"compatibility_is_asked_for", compatibilityIsAskedFor},
		{"configuration_is_set_and_taken_away", configurationIsSetAndTakenAway},
		{"modes_are_set_and_obeyed", modesAreSetAndObeyed},
		{"versions_and_subjects_are_deleted", versionsAndSubjectsAreDeleted},
		{"lists_have_pages", listsHavePages},
		{"contexts_keep_apart", contextsKeepApart},
		{"values_are_shared", valuesAreShared},
	} {
		if problem := run(test.run); problem != nil {
			failed++
			fmt.Printf("FAIL: %s\n  | %v\n", test.name, problem)
		} else {
			passed++
			fmt.Printf("ok %s\n", test.name)
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
