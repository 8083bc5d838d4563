#ifndef GD_TESTS_JSON_TEXTS_H
#define GD_TESTS_JSON_TEXTS_H
/**
 * Texts that are JSON and texts that are not, of every kind a parser has been seen to
 * get wrong.
 */
#include "base/bytes.h"

#define TEXT(literal)                                                                    \
    {                                                                                    \
        (literal), sizeof(literal) - 1                                                   \
    }

static const struct gd_span valid_texts[] = {
    /* structure */
    TEXT("[]"), TEXT("{}"), TEXT("[[]]"), TEXT("[{},[],{}]"), TEXT("[[]   ]"),
    TEXT("[null, 1, \"1\", {}]"), TEXT("[1,null,null,null,2]"), TEXT("{\"\":0}"),
    TEXT("{\"a\":[]}"), TEXT("{\"a\":\"b\",\"a\":\"c\"}"),
    TEXT("{\"a\":{\"b\":{\"c\":[{\"d\":1}]}},\"e\":[]}"), TEXT("{\"foo\\u0000bar\": 42}"),
    TEXT("{\"min\": -1.0e+28, \"max\": 1.0e+28}"),
    TEXT("[{\"a\":1},{\"a\":2},{\"a\":[3]}]"),
    TEXT("{\"x\":[{\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}], \"id\": "
         "\"x\"}"),
    /* scalars at the top */
    TEXT("null"), TEXT("true"), TEXT("false"), TEXT("42"), TEXT("-0.1"), TEXT("0"),
    TEXT("\"\""), TEXT("\"}\""), TEXT("\" ]\" "), TEXT("[true,false,null]"),
    /* white space */
    TEXT(" [] "), TEXT("\n\r\t {\t\"a\"\r:\n2 } \n\n\r\t"),
    TEXT("[1\n,1\r,                                                  2]"),
    TEXT("{\n    \"a\" : [\n        1,\n        2\n    ],\n    \"b\" : { }\n}\n"),
    /* numbers */
    TEXT("[0]"), TEXT("[-0]"), TEXT("[0.0]"), TEXT("[0e1]"), TEXT("[0e+1]"), TEXT("[-1]"),
    TEXT("[123]"), TEXT("[123.456789]"), TEXT("[123e45]"), TEXT("[123E45]"),
    TEXT("[1E+2]"), TEXT("[1e-2]"), TEXT("[1.5e9, 1.5E-9 ,1.5e+9\t]"),
    TEXT("[-0.000000000000000000000000000000000000000000000000000000000000001]"),
    TEXT("[100000000000000000000, -123123123123123123123123123123]"),
    TEXT(
        "[1234567890123456, 12345678901234567, 1.1234567890123456, 1.12345678901234567]"),
    TEXT("[123.456e78, 0.4e00669999999999999999999999999999, -1e+9999]"),
    TEXT("[1e999999, -1e-999999]"),
    /* strings and escapes */
    TEXT("[\"\"]"), TEXT("[\"asd \"]"), TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    TEXT("[\"\\u0000\\u0012\\uFFFF\\uabcd\\uAbCd\"]"),
    TEXT("[\"\\\\u0000\", \"\\\\n\", \"\\\\a\", \"a/*b*/c\", \"\\\\\\\\\"]"),
    TEXT("[\"\\ud83d\\ude00\", \"\\uD801\\udc37\"]"), TEXT("[\"\x7f\"]"),
    TEXT("[\"\\u0060\\u012a\\u12AB\\uA66D\"]"),
    TEXT("[\"new\\u00A0line \\u2028 \\uFDD0 \\uFFFE\"]"),
    TEXT("{\"\\u0061\\\"\\\\\" : \"\\\"\"}"),
    /* UTF-8 */
    TEXT("[\"\xc2\x80 \xdf\xbf\"]"),
    TEXT("[\"\xe0\xa0\x80 \xec\xbf\xbf \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf\"]"),
    TEXT("[\"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf \xf3\xbf\xbf\xbf\"]"),
    TEXT("[\"\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\"]"),
    TEXT("{\"\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\": "
         "\"\xe6\x97\xa5\xe6\x9c\xac\"}"),
    TEXT("\"\xf0\x9f\x98\x80\""),
    /* implementation-defined, and accepted here: escaped surrogates that stand alone */
    TEXT("[\"\\ud800\"]"),
    TEXT("[\"\\uDd1e\\uD834\", \"\\uD800\\n\", \"\\uDADA\", \"\\ud800abc\"]"),
    TEXT("[\"\\uD800\\uD800\\n\", \"\\uD888\\u1234\"]")};

static const struct gd_span invalid_texts[] = {
    /* nothing, or not a value */
    TEXT(""), TEXT(" "), TEXT("\n\t\r "), TEXT("\0"), TEXT("<.>"), TEXT("<null>"),
    TEXT("*"), TEXT("a\xc3\xa5"), TEXT("\xc3\xa5"), TEXT("'a'"), TEXT("abc"), TEXT("nan"),
    TEXT("NaN"), TEXT("[NaN]"), TEXT("[Infinity]"), TEXT("[-Infinity]"), TEXT("[+Inf]"),
    TEXT("[undefined]"), TEXT("/**/{}"), TEXT("{}/**/"), TEXT("{}#"),
    TEXT("{\"a\":/*comment*/\"b\"}"), TEXT("[\"a\"//\n]"),
    /* a byte order mark, and encodings other than UTF-8 */
    TEXT("\xef\xbb\xbf{}"), TEXT("\xef\xbb\xbf"), TEXT("\xef\xbb{}"),
    TEXT("\xff\xfe[\0\"\0\xe9\0\"\0]\0"), TEXT("\0[\0\"\0\xe9\0\"\0]"),
    TEXT("\xe2\x81\xa0[]"),
    /* literals */
    TEXT("[nul]"), TEXT("[fals]"), TEXT("[tru]"), TEXT("[True]"), TEXT("[TRUE]"),
    TEXT("[nulll]"), TEXT("[truefalse]"), TEXT("tru"), TEXT("truee"), TEXT("nul"),
    TEXT("fals"),
    /* arrays */
    TEXT("["), TEXT("]"), TEXT("[1"), TEXT("[1,"), TEXT("[,1]"), TEXT("[,]"),
    TEXT("[1,]"), TEXT("[1 , ]"), TEXT("[1,,2]"), TEXT("[\"\",]"), TEXT("[1 2]"),
    TEXT("[1 true]"), TEXT("[a"), TEXT("[\"x\""), TEXT("[\"a\" \"b\"]"), TEXT("[3[4]]"),
    TEXT("[1:2]"), TEXT("[:]"), TEXT("[\"a\":1]"), TEXT("[}"), TEXT("[1}"), TEXT("[[]"),
    TEXT("[]]"), TEXT("[1]]"), TEXT("[][]"), TEXT("[],"), TEXT("[]a"), TEXT("[\x0b]"),
    TEXT("[\x0c]"), TEXT("[\"a\x0b\"\\f]"), TEXT("[\"a\",\n4\n,1,"), TEXT("[1,\n1\n,1"),
    TEXT("[*]"), TEXT("[\xe5]"), TEXT("[1\xe5]"), TEXT("[\xc2\xa0]"),
    TEXT("[\\u000A\"\"]"), TEXT("[1]x"), TEXT("1]"), TEXT("123 4"), TEXT("\"x\" \"y\""),
    TEXT("\"\"]"), TEXT("[\"asd]"), TEXT("[\"asd\n]"), TEXT("[{}"), TEXT("[{]"),
    TEXT("[{}}]"),
    /* objects */
    TEXT("{"), TEXT("}"), TEXT("{]"), TEXT("{,}"), TEXT("{\"a\"}"), TEXT("{\"a\""),
    TEXT("{\"a\":"), TEXT("{\"a\":}"), TEXT("{\"a\":1"), TEXT("{\"a\":1,}"),
    TEXT("{\"a\":\"b\",}"), TEXT("{\"a\":1,,\"b\":2}"), TEXT("{\"id\":0,,,,,}"),
    TEXT("{\"a\" \"b\"}"), TEXT("{\"a\",\"b\"}"), TEXT("{\"a\"::\"b\"}"),
    TEXT("{\"a\":\"b\" \"c\":1}"), TEXT("{\"a\":\"b\"\"c\":1}"), TEXT("{a:1}"),
    TEXT("{'a':1}"), TEXT("{1:1}"), TEXT("{null:null}"), TEXT("{[]:1}"), TEXT("{{}:1}"),
    TEXT("{:\"b\"}"), TEXT("{\"a\":1]"), TEXT("{\"a\":[}"), TEXT("{\"a\":1}}"),
    TEXT("{\"a\":true} \"x\""), TEXT("{\"a\":\"a"), TEXT("{\"a\":\"a}"),
    TEXT("{\"a\": true false}"), TEXT("{\xe2\x80\x9c\":0}"), TEXT("{\"\xb9\":\"0\",}"),
    TEXT("{9999E9999:1}"), TEXT("{\"a\":1 2}"),
    /* numbers */
    TEXT("[-]"), TEXT("[+1]"), TEXT("[++1]"), TEXT("[--1]"), TEXT("[- 1]"), TEXT("[01]"),
    TEXT("[-01]"), TEXT("[-012]"), TEXT("[00]"), TEXT("[0x42]"), TEXT("[0x1]"),
    TEXT("[1.]"), TEXT("[-2.]"), TEXT("[.5]"), TEXT("[-.5]"), TEXT("[.]"), TEXT("[1.e5]"),
    TEXT("[0.e1]"), TEXT("[0.3e]"), TEXT("[0.3e+]"), TEXT("[0e]"), TEXT("[0E+]"),
    TEXT("[1e]"), TEXT("[1e+-2]"), TEXT("[1e1.5]"), TEXT("[1.2.3]"), TEXT("[1eE2]"),
    TEXT("[1+2]"), TEXT("[1 000.0]"), TEXT("[1a]"), TEXT("[-1x]"), TEXT("[1.2a-3]"),
    TEXT("[1.8011670033376514H-308]"), TEXT("[\xef\xbc\x91]"),
    TEXT("[123456789012345678901a]"), TEXT("[1234567890123456.]"),
    TEXT("[1.12345678901234567e]"), TEXT("-"), TEXT("01"), TEXT("1e"), TEXT("1."),
    TEXT("2@"),
    /* strings */
    TEXT("\""), TEXT("\"a"), TEXT("\"\\"), TEXT("\"\\\""), TEXT("[\"\\\"]"),
    TEXT("[\"\\x00\"]"), TEXT("[\"\\a\"]"), TEXT("[\"\\'\"]"), TEXT("[\"\\\\\\\"]"),
    TEXT("[\"\\\t\"]"), TEXT("[\"\\\0\"]"), TEXT("[\"\\U0041\"]"), TEXT("[\"\\u\"]"),
    TEXT("[\"\\u1\"]"), TEXT("[\"\\u12\"]"), TEXT("[\"\\u123\"]"), TEXT("[\"\\u00A"),
    TEXT("[\"\\u00G0\"]"), TEXT("[\"\\uqqqq\"]"), TEXT("[\"\\uD800\\\"]"),
    TEXT("[\"\\uD800\\u\"]"), TEXT("[\"\\uD800\\u1x\"]"),
    TEXT("[\"\\\xf0\x9f\x8c\x80\"]"), TEXT("[\"\\u\xe5\"]"), TEXT("[\"a\0a\"]"),
    TEXT("[\"new\nline\"]"), TEXT("[\"\t\"]"), TEXT("[\"\x1f\"]"), TEXT("['single']"),
    TEXT("[\xe2\x80\x9cquoted\xe2\x80\x9d]"), TEXT("[\"a\"b\"]"),
    /* UTF-8 that is not */
    TEXT("[\"\x80\"]"), TEXT("[\"\xbf\"]"), TEXT("[\"\xc0\xaf\"]"),
    TEXT("[\"\xc1\xbf\"]"), TEXT("[\"\xc3\"]"), TEXT("[\"\xc3\x28\"]"),
    TEXT("[\"\xe0\x80\xaf\"]"), TEXT("[\"\xe0\x9f\xbf\"]"), TEXT("[\"\xe0\xff\"]"),
    TEXT("[\"\xe6\x97\"]"), TEXT("[\"\xe6\x97\xe6\x97\xa5\"]"),
    TEXT("[\"\xed\xa0\x80\"]"), TEXT("[\"\xed\xbf\xbf\"]"),
    TEXT("[\"\xf0\x80\x80\x80\"]"), TEXT("[\"\xf0\x8f\xbf\xbf\"]"),
    TEXT("[\"\xf0\x9f\x98\"]"), TEXT("[\"\xf0\x9f\x98\xc0\"]"),
    TEXT("[\"\xf4\x90\x80\x80\"]"), TEXT("[\"\xf4\xbf\xbf\xbf\"]"),
    TEXT("[\"\xf5\x80\x80\x80\"]"), TEXT("[\"\xf8\x88\x80\x80\x80\"]"),
    TEXT("[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"), TEXT("[\"\xfe\"]"), TEXT("[\"\xff\"]"),
    TEXT("{\"\xe9\":1}"), TEXT("{\"\xed\xa0\x80\":1}"), TEXT("\"\xe6\x97")};

#endif
