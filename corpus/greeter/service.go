package main

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// serviceName is the service's full name. Its messages are strings, so that it needs no generated code.
const serviceName = "greeter.Greeter"

// repeats is how many times Repeat repeats its message.
const repeats = 3

type message = wrapperspb.StringValue

var service = grpc.ServiceDesc{
	ServiceName: serviceName,
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{
		{MethodName: "Greet", Handler: unary(greet)},
		{MethodName: "Knock", Handler: unary(greet)},
		{MethodName: "Refuse", Handler: unary(refuse)},
		{MethodName: "Fail", Handler: unary(fail)},
	},
	Streams: []grpc.StreamDesc{
		{StreamName: "Repeat", Handler: repeat, ServerStreams: true},
		{StreamName: "Collect", Handler: collect, ClientStreams: true},
		{StreamName: "Chat", Handler: chat, ServerStreams: true, ClientStreams: true},
	},
}

type handler = func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error)

func unary(answer func(string) (string, error)) handler {
	return func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		request := new(message)
		if err := decode(request); err != nil {
			return nil, err
		}
		text, err := answer(request.Value)
		if err != nil {
			return nil, err
		}
		return wrapperspb.String(text), nil
	}
}

func greet(name string) (string, error) { return "hello " + name, nil }

// refuse answers with the requested status code.
func refuse(number string) (string, error) {
	code, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return "", status.Error(codes.InvalidArgument, "not a number")
	}
	return "", status.Error(codes.Code(code), "as you wish")
}

// fail answers with an error without a status, which gRPC calls UNKNOWN.
func fail(string) (string, error) { return "", errors.New("no status") }

func repeat(_ any, stream grpc.ServerStream) error {
	request := new(message)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	for i := 0; i < repeats; i++ {
		if err := stream.SendMsg(request); err != nil {
			return err
		}
	}
	return nil
}

// collect joins the words that it receives. Without any, it answers that the precondition failed.
func collect(_ any, stream grpc.ServerStream) error {
	var all []string
	for {
		part := new(message)
		err := stream.RecvMsg(part)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		all = append(all, part.Value)
	}
	if len(all) == 0 {
		return status.Error(codes.FailedPrecondition, "nothing to collect")
	}
	return stream.SendMsg(wrapperspb.String(strings.Join(all, ",")))
}

// chat answers each word as it comes.
func chat(_ any, stream grpc.ServerStream) error {
	for {
		word := new(message)
		err := stream.RecvMsg(word)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.SendMsg(wrapperspb.String(strings.ToUpper(word.Value))); err != nil {
			return err
		}
	}
}
